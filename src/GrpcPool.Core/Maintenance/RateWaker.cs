using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Maintenance;

/// <summary>Has the pool look again when a rate lets something start.</summary>
internal sealed class RateWaker : IDuty, IDisposable
{
    private readonly Dispatcher _dispatcher;
    private readonly ITimer _timer;

    /// <param name="dispatcher">Knows who waits for a rate.</param>
    /// <param name="time">The clock.</param>
    /// <param name="onTimer">Called, on any thread, when it is time to look.</param>
    public RateWaker(Dispatcher dispatcher, TimeProvider time, Action onTimer)
    {
        _dispatcher = dispatcher;
        _timer = time.CreateTimer(_ => onTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Note(DateTimeOffset? nextWake)
    {
    }

    /// <summary>Asks for nothing itself; what may start is chosen after it. Timers count whole milliseconds: one that is early would find nothing.</summary>
    public TaskCommand? Next(DateTimeOffset now)
    {
        if (_dispatcher.RateWait is { } wait)
            _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
        return null;
    }

    public void Dispose() => _timer.Dispose();
}
