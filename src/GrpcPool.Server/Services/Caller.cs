using Grpc.Core;
using GrpcPool.Core.Administration;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Server.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace GrpcPool.Server.Services;

/// <summary>What a call says of its caller.</summary>
internal static class Caller
{
    public const string NamespaceKey = "grpcpool-namespace";

    public static string Namespace(ServerCallContext context)
    {
        HttpContext http = context.GetHttpContext();
        if (http.Features.Get<Grant>() is { } grant)
            return grant.Namespace;

        // The call's own metadata would first be made of all its headers.
        if (!http.Request.Headers.TryGetValue(NamespaceKey, out StringValues values) || values.Count == 0)
            return GrpcPoolOptions.DefaultNamespace;
        string name = values.ToString();
        var checks = new FieldChecks();
        checks.Name(name, NamespaceKey);
        checks.ThrowIfAny();
        return name;
    }

    /// <summary>What the call may do; null where tokens are not asked for, so that it may do everything.</summary>
    public static Grant? Grant(ServerCallContext context) => context.GetHttpContext().Features.Get<Grant>();

    /// <summary>The name of the call's token; empty where there is none.</summary>
    public static string Name(ServerCallContext context) => Grant(context)?.Name ?? "";

    /// <summary>The tasks that the call may know of; null for all of its namespace.</summary>
    public static TaskScope? Scope(ServerCallContext context) => Grant(context)?.Scope;

    /// <summary>How much of its own tasks a call gets to see: payloads and results are for those alone who may read.</summary>
    public static V1.TaskView View(V1.TaskView asked, ServerCallContext context) => Grant(context)?.May(Role.Read) == false ? V1.TaskView.Basic : asked;

    /// <summary>How the pool is, as the call may see it: what other namespaces do is for those alone who may change what holds for all.</summary>
    public static PoolReading Read(TaskPool pool, ServerCallContext context)
    {
        var reading = PoolReading.Of(pool, Namespace(context));
        return Grant(context)?.May(Role.Admin) == false ? reading.WithoutOthers() : reading;
    }

    /// <summary>The same id, if the call may know of its task.</summary>
    public static async ValueTask<TaskId> KnownAsync(TaskPool pool, TaskId id, ServerCallContext context)
    {
        if (Scope(context) is { } scope && (await pool.FindAsync(id).ConfigureAwait(false) is not { } task || !scope.Covers(task.Spec)))
            throw new PoolErrorException(new PoolError.TaskNotFound(id.Value));
        return id;
    }

    /// <summary>Who calls, for a log: the name of the token, or that by which the host knows the caller, if it does, and where he is.</summary>
    public static string Describe(ServerCallContext context) =>
        Grant(context)?.Name ?? (context.GetHttpContext().User.Identity?.Name is { Length: > 0 } name ? $"{name} at {context.Peer}" : context.Peer);
}
