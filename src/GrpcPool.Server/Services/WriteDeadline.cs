using Grpc.Core;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Watching;
using GrpcPool.Server.Hosting;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Services;

/// <summary>Ends the stream of a reader that has stopped reading: the transport itself never does.</summary>
internal sealed class WriteDeadline(TaskPool pool, ILogger<WriteDeadline> log)
{
    /// <summary>How often it is told: there may be thousands of them at once.</summary>
    private readonly Seldom _telling = new(pool.Time, TimeSpan.FromSeconds(10));

    /// <summary>Ends with the write.</summary>
    /// <param name="write">A write that is under way.</param>
    /// <param name="known">Up to where the reader knows the stream: a revision or an offset.</param>
    /// <param name="context">The call that it belongs to.</param>
    /// <param name="place">What the reader holds of the room that all watchers share; null for nothing.</param>
    public async Task HoldAsync(Task write, long known, ServerCallContext context, WatchPlace? place = null)
    {
        TimeSpan timeout = pool.Options.Limits.WatchWriteTimeout;
        for (TimeSpan blocked = TimeSpan.Zero; !write.IsCompleted;)
        {
            TimeSpan left = timeout - blocked;
            if (left <= TimeSpan.Zero || (blocked > TimeSpan.Zero && place is { IsInTheWay: true }))
                throw Evict(blocked, known, context);
            TimeSpan next = place is { Holds: true } && left > place.Patience ? place.Patience : left;
            await write.WaitAsync(next, pool.Time, context.CancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            context.CancellationToken.ThrowIfCancellationRequested();
            blocked += next;
        }

        await write.ConfigureAwait(false);
    }

    private PoolErrorException Evict(TimeSpan blocked, long known, ServerCallContext context)
    {
        pool.Metrics.Evicted();
        if (_telling.MayTell())
            Log.ReaderStuck(log, blocked, context.Method, known);
        context.GetHttpContext().Abort();
        return new PoolErrorException(new PoolError.StoppedReading());
    }
}
