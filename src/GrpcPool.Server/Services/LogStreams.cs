using Google.Protobuf;
using Grpc.Core;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Watching;
using GrpcPool.V1;

namespace GrpcPool.Server.Services;

/// <summary>Writes a task's log to its stream.</summary>
internal sealed class LogStreams(TaskPool pool, WriteDeadline deadline)
{
    public async Task ReadAsync(ReadLogRequest request, IServerStreamWriter<ReadLogResponse> stream, string @namespace, ServerCallContext context)
    {
        var checks = new FieldChecks();
        checks.Id(request.Id, "id");
        checks.Require(request.Offset >= 0, "offset", "must not be negative");
        checks.ThrowIfAny();

        long known = request.Offset;
        TaskId id = await Caller.KnownAsync(pool, new TaskId(@namespace, request.Id), context).ConfigureAwait(false);
        using LogReading reading = pool.ReadLog(id);
        await foreach (LogPage page in reading.ReadAsync(request.Offset, request.Follow, context.CancellationToken).ConfigureAwait(false))
        {
            var response = new ReadLogResponse { Data = UnsafeByteOperations.UnsafeWrap(page.Data), Offset = page.Offset, TruncatedBefore = page.TruncatedBefore };
            await deadline.HoldAsync(stream.WriteAsync(response), known, context, reading.Place).ConfigureAwait(false);
            known = page.Offset + page.Data.Length;
        }
    }
}
