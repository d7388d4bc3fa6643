using GrpcPool.Core.Workers;

namespace GrpcPool.Core.Maintenance;

/// <summary>Looks after leases and workers while there are any, often enough that what is lost is known soon after its time.</summary>
internal sealed class LeaseReaper : IDisposable
{
    private static readonly TimeSpan EveryMax = TimeSpan.FromSeconds(0.5);

    private readonly Lock _lock = new();
    private readonly ITimer _timer;
    private readonly TimeSpan _every;
    private bool _armed;
    private bool _disposed;

    /// <param name="workers">Who is looked after.</param>
    public LeaseReaper(WorkerRegistry workers)
    {
        _every = new[] { EveryMax, workers.Options.LeaseDuration / 4 }.Min();
        _timer = workers.Time.CreateTimer(_ => Look(workers), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>There is something to look after.</summary>
    public void Wake()
    {
        lock (_lock)
        {
            if (_armed || _disposed)
                return;
            _armed = true;
            _timer.Change(_every, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _timer.Dispose();
        }
    }

    private void Look(WorkerRegistry workers)
    {
        lock (_lock)
            _armed = false;
        if (workers.Reap())
            Wake();
    }
}
