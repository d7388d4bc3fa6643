using System.Diagnostics;
using GrpcPool.V1;

namespace GrpcPool.Client.Workers;

/// <summary>
/// The span of what a handler does with an attempt, which continues the trace that the task came with. An application has it exported by <c>AddSource("GrpcPool.Client")</c>;
/// where nobody listens to that, or the task came with no trace, there is none.
/// </summary>
internal static class WorkTrace
{
    private const string Parent = "traceparent", State = "tracestate";

    private static readonly ActivitySource Source = new("GrpcPool.Client", typeof(WorkTrace).Assembly.GetName().Version?.ToString(3));

    /// <summary>Begins it as the current one.</summary>
    public static Activity? Start(TaskInfo task)
    {
        if (!Source.HasListeners() || !task.Headers.TryGetValue(Parent, out string? parent))
            return null;
        task.Headers.TryGetValue(State, out string? state);
        if (!ActivityContext.TryParse(parent, state, isRemote: true, out ActivityContext attempt))
            return null;
        return Source.StartActivity($"work {task.Kind}", ActivityKind.Consumer, attempt)?
            .SetTag("grpcpool.task.id", task.Id)
            .SetTag("grpcpool.task.kind", task.Kind)
            .SetTag("grpcpool.attempt.number", task.Attempt);
    }

    /// <summary>Ends it.</summary>
    public static void End(Activity? span, WorkOutcome outcome)
    {
        if (outcome.Failure is { } failure)
            span?.SetTag("error.type", failure.Code.ToString()).SetStatus(ActivityStatusCode.Error, failure.Message);
        span?.Stop();
    }
}
