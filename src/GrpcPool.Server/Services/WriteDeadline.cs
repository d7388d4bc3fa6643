using Grpc.Core;
using GrpcPool.Core.Execution;
using GrpcPool.Server.Hosting;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Services;

/// <summary>Ends the stream of a reader that has stopped reading: the transport itself never does.</summary>
internal sealed class WriteDeadline(TaskPool pool, ILogger<WriteDeadline> log)
{
    /// <summary>Ends with the write.</summary>
    /// <param name="write">A write that is under way.</param>
    /// <param name="known">Up to where the reader knows the stream: a revision or an offset.</param>
    /// <param name="context">The call that it belongs to.</param>
    public async Task HoldAsync(Task write, long known, ServerCallContext context)
    {
        if (write.IsCompletedSuccessfully)
            return;
        TimeSpan timeout = pool.Options.Limits.WatchWriteTimeout;
        try
        {
            await write.WaitAsync(timeout, pool.Time, context.CancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            pool.Metrics.Evicted();
            Log.ReaderStuck(log, timeout, context.Method, known);
            context.GetHttpContext().Abort();
            throw new PoolErrorException(new PoolError.StoppedReading());
        }
    }
}
