using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Server.Services;

/// <summary>Reads fields that several requests have, and checks them.</summary>
internal static class RequestFields
{
    private static readonly TimeSpan ForceAfterMax = TimeSpan.FromHours(1);

    /// <summary>The id of a task that the call may know of.</summary>
    public static ValueTask<TaskId> ReadIdAsync(TaskPool pool, string id, ServerCallContext context, V1.TaskView view = V1.TaskView.Unspecified)
    {
        var checks = new FieldChecks();
        checks.Id(id, "id");
        checks.View(view);
        checks.ThrowIfAny();
        return Caller.KnownAsync(pool, new TaskId(Caller.Namespace(context), id), context);
    }

    public static TimeSpan ReadCancel(string reason, Duration? forceAfter)
    {
        var checks = new FieldChecks();
        checks.Characters(reason, 1024, "reason");
        checks.ThrowIfAny();
        return ReadSpan(forceAfter, ForceAfterMax, HandlerRegistry.DefaultKillAfter, "force_after");
    }

    public static TimeSpan ReadSpan(Duration? span, TimeSpan max, TimeSpan unset, string field)
    {
        var checks = new FieldChecks();
        TimeSpan read = span is null ? unset : checks.Span(span, TimeSpan.Zero, max, field);
        checks.ThrowIfAny();
        return read;
    }
}
