using Grpc.Core;
using GrpcPool.Core.Administration;
using GrpcPool.Core.Execution;
using GrpcPool.V1;

namespace GrpcPool.Server.Services;

/// <summary>Writes how the pool is to streams, again and again.</summary>
internal sealed class PoolStreams(TaskPool pool, WriteDeadline deadline)
{
    /// <summary>How many there are at a time: each reads all counters once per interval.</summary>
    private const int StreamsMax = 100;

    private int _streams;

    public async Task WriteAsync(TimeSpan interval, IServerStreamWriter<WatchPoolResponse> stream, ServerCallContext context)
    {
        if (Interlocked.Increment(ref _streams) > StreamsMax)
        {
            Interlocked.Decrement(ref _streams);
            throw new PoolErrorException(new PoolError.TooMany($"{StreamsMax} streams of WatchPool are open, which is the most: ask by GetPool"));
        }

        try
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, pool.Draining);
            using var ticks = new PeriodicTimer(interval, pool.Time);
            PoolReading? earlier = null;
            do
            {
                PoolReading reading = Caller.Read(pool, context);
                Task write = stream.WriteAsync(new WatchPoolResponse { Pool = PoolMapping.ToInfo(pool, reading, earlier) });
                await deadline.HoldAsync(write, known: 0, context).ConfigureAwait(false);
                earlier = reading;
            }
            while (await ticks.WaitForNextTickAsync(ending.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            throw new PoolErrorException(new PoolError.Draining());
        }
        finally
        {
            Interlocked.Decrement(ref _streams);
        }
    }
}
