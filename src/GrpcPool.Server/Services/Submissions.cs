using Grpc.Core;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;
using GrpcPool.V1;
using Spec = GrpcPool.V1.TaskSpec;

namespace GrpcPool.Server.Services;

/// <summary>The ways in of one task and of a batch.</summary>
internal static class Submissions
{
    /// <summary>No message of the server is larger: clients stop at 4 MiB.</summary>
    private const int MessageBytesMax = 3_500_000;

    /// <summary>How long an error's message is where the answer would be too large.</summary>
    private const int SlimMessageCharacters = 100;

    /// <summary>The only task of a request.</summary>
    public static NewTask Read(TaskPool pool, Spec spec, string @namespace, ServerCallContext context) =>
        Reader(pool, @namespace, context).Read(spec, new FieldPath("task"), out PoolError? error) ?? throw new PoolErrorException(error!);

    /// <summary>What became of the only task of a request, if it was accepted.</summary>
    public static SubmitResult Accepted(TaskPool pool, NewTask task, SubmitResult result) =>
        ErrorTable.Of(result, task, pool.Settings) is { } error ? throw new PoolErrorException(error) : result;

    public static SpecReader Reader(TaskPool pool, string @namespace, ServerCallContext context) => new(pool, @namespace, context.GetHttpContext().Request.Headers, Caller.Grant(context));

    public static async Task<SubmitBatchResponse> SubmitBatchAsync(TaskPool pool, SubmitBatchRequest request, string @namespace, ServerCallContext context)
    {
        var batch = new ReadBatch(Reader(pool, @namespace, context), request.Tasks, static i => new FieldPath("tasks", i));
        if (request.Atomic && batch.HasErrors)
            batch.AbortRest();
        SubmitResult[] results = batch.Tasks.Count == 0 ? [] : await pool.SubmitAsync(batch.Tasks, request.Atomic, WhenFull.Refuse, context.CancellationToken).ConfigureAwait(false);
        var response = new SubmitBatchResponse();
        response.Results.AddRange(batch.Merge(results, pool.Settings, ToResult, error => new SubmitBatchResult { Error = ErrorTable.ToSubmitError(error) }));
        if (response.CalculateSize() > MessageBytesMax)
            Slim(response);
        return response;

        SubmitBatchResult ToResult(SubmitResult result) =>
            new() { Task = ProtoMapping.ToInfo(pool.View(result.Task!), V1.TaskView.Basic), Created = result.Verdict == SubmitVerdict.Created };
    }

    /// <summary>An answer that would be too large for a message names its tasks and their state, and leaves the rest out; errors are cut short.</summary>
    private static void Slim(SubmitBatchResponse response)
    {
        foreach (SubmitBatchResult result in response.Results)
        {
            if (result.Task is { } task)
                result.Task = new TaskInfo { Namespace = task.Namespace, Id = task.Id, State = task.State, Version = task.Version, Revision = task.Revision };
            else if (result.Error.Message.Length > SlimMessageCharacters)
                result.Error.Message = $"{result.Error.Message[..SlimMessageCharacters]}…";
        }
    }
}
