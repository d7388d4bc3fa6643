using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Maintenance;

/// <summary>
/// Has what is due made so: starts of waiting, timeouts, ends of retention. One timer waits for the nearest; it looks at the wall clock again at least every
/// <see cref="LookAgain"/>, since that may be set forward.
/// </summary>
internal sealed class DueTaskPromoter : IDuty, IDisposable
{
    /// <summary>How many tasks one commit wakes.</summary>
    private const int TasksMax = 1000;

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private DateTimeOffset? _nextWake;

    /// <param name="time">The clock.</param>
    /// <param name="onTimer">Called, on any thread, when it is time to look.</param>
    public DueTaskPromoter(TimeProvider time, Action onTimer)
    {
        _time = time;
        _timer = time.CreateTimer(_ => OnTimer(onTimer), null, LookAgain, LookAgain);
    }

    public void Note(DateTimeOffset? nextWake)
    {
        lock (_lock)
        {
            if (nextWake == _nextWake)
                return;
            _nextWake = nextWake;
            TimeSpan wait = nextWake - _time.GetUtcNow() ?? LookAgain;
            _timer.Change(wait < TimeSpan.Zero ? TimeSpan.Zero : wait < LookAgain ? RoundUp(wait) : LookAgain, LookAgain);
        }
    }

    public TaskCommand? Next(DateTimeOffset now)
    {
        lock (_lock)
            return _nextWake <= now ? new WakeTasks(TasksMax) : null;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _nextWake = null;
            _timer.Dispose();
        }
    }

    private void OnTimer(Action look)
    {
        // A timer may be a moment early by the wall clock: then it is set again for the rest.
        lock (_lock)
        {
            if (_nextWake - _time.GetUtcNow() is { } rest && rest > TimeSpan.Zero && rest < LookAgain)
                _timer.Change(RoundUp(rest), LookAgain);
        }

        look();
    }

    /// <summary>Timers count whole milliseconds: one that is early would find nothing due.</summary>
    private static TimeSpan RoundUp(TimeSpan wait) => TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));
}
