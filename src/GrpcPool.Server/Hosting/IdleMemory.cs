using Microsoft.Extensions.Hosting;

namespace GrpcPool.Server.Hosting;

/// <summary>
/// Gives memory back when work has come to rest: the runtime frees none while nothing is allocated, and a sidecar would keep for ever what its busiest moment took. G1 of Java
/// does the same (JEP 346).
/// </summary>
internal sealed class IdleMemory(TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var watch = new RestWatch();
        using var ticks = new PeriodicTimer(Interval, time);
        try
        {
            while (await ticks.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                if (watch.HasComeToRest(GC.CollectionCount(0), GC.GetTotalAllocatedBytes(), GC.GetGCMemoryInfo(GCKind.Any).HeapSizeBytes))
                {
                    GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                    watch.Collected(GC.CollectionCount(0));
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }
}

/// <summary>Tells from what is allocated whether there is something to give back, and nobody who would wait for it.</summary>
internal struct RestWatch
{
    /// <summary>More than this since the last look is work: some hundred calls.</summary>
    private const long WorkBytes = 1 << 20;

    /// <summary>A larger heap takes a collection a tenth of a second, for which a call that comes just then would wait.</summary>
    private const long HeapBytesMax = 256 << 20;

    private int _collections;
    private long _allocated;

    /// <summary>Whether the runtime has collected since the last time, and hardly anything has been allocated since the last look.</summary>
    public bool HasComeToRest(int collections, long allocated, long heapBytes)
    {
        bool rests = allocated - _allocated < WorkBytes;
        _allocated = allocated;
        return rests && collections != _collections && heapBytes <= HeapBytesMax;
    }

    /// <summary>Memory was given back.</summary>
    public void Collected(int collections) => _collections = collections;
}
