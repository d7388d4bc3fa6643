using Google.Protobuf;
using Grpc.Core;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
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

    public static async Task<PackedResponse> SubmitBatchAsync(TaskPool pool, PackedSubmitBatchRequest request, string @namespace, ServerCallContext context)
    {
        var batch = new ReadBatch(Reader(pool, @namespace, context), request.Tasks.Count, i => request.Tasks[i], static i => new FieldPath("tasks", i));
        request.Tasks.Clear();
        if (request.Atomic && batch.HasErrors)
            batch.AbortRest();
        SubmitResult[] results = batch.Tasks.Count == 0 ? [] : await pool.SubmitAsync(batch.Tasks, request.Atomic, WhenFull.Refuse, context.CancellationToken).ConfigureAwait(false);
        byte[][] pieces = [.. batch.Merge(results, pool.Settings, result => Packing.ToResult(pool.View(result.Task!), IsNew(result)), static error => Pack(new SubmitBatchResult { Error = ErrorTable.ToSubmitError(error) }))];
        return new(pieces.Sum(static piece => piece.Length) <= MessageBytesMax ? pieces : [.. batch.Merge(results, pool.Settings, Slim, Slim)]);
    }

    private static bool IsNew(SubmitResult result) => result.Verdict == SubmitVerdict.Created;

    /// <summary>An answer that would be too large for a message names its tasks and their state, and leaves the rest out.</summary>
    private static byte[] Slim(SubmitResult result)
    {
        TaskRecord task = result.Task!;
        var info = new TaskInfo { Namespace = task.Id.Namespace, Id = task.Id.Value, State = (V1.TaskState)task.State, Version = task.Version, Revision = task.Revision };
        return Pack(new SubmitBatchResult { Task = info, Created = IsNew(result) });
    }

    /// <summary>There, errors are cut short.</summary>
    private static byte[] Slim(PoolError error)
    {
        SubmitError told = ErrorTable.ToSubmitError(error);
        if (told.Message.Length > SlimMessageCharacters)
            told.Message = $"{told.Message[..SlimMessageCharacters]}…";
        return Pack(new SubmitBatchResult { Error = told });
    }

    private static byte[] Pack(SubmitBatchResult result) => new SubmitBatchResponse { Results = { result } }.ToByteArray();
}
