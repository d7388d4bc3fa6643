using GrpcPool.Core.Hosting;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Execution;

/// <summary>
/// Says when memory is short: new work is refused then, before the process meets the limit of its container and is killed with all that it runs. Thread-safe.
/// </summary>
/// <param name="limit">From which part of the memory on it is short; 1 for never.</param>
/// <param name="used">Which part of the memory is used, garbage included.</param>
/// <param name="collect">Gives back what is not used.</param>
/// <param name="time">When to look.</param>
/// <param name="log">Where a change is told.</param>
internal sealed class MemoryGuard(double limit, Func<double> used, Action collect, TimeProvider time, ILogger log) : IDisposable
{
    /// <summary>How much less must be used before new work is taken again.</summary>
    private const double Margin = 0.05;

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    /// <summary>After a collection that did not help, the next one waits for twice as long.</summary>
    private static readonly TimeSpan PauseMin = TimeSpan.FromSeconds(1), PauseMax = TimeSpan.FromSeconds(10);

    private ITimer? _timer;
    private TimeSpan _pause;
    private long _collectedAt;
    private volatile bool _isShort;

    /// <summary>Whether new work is to be refused.</summary>
    public bool IsShort => _isShort;

    public void Start()
    {
        if (limit < 1)
            _timer = time.CreateTimer(static guard => ((MemoryGuard)guard!).Look(), this, Period, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer?.Dispose();

    private void Look()
    {
        double bound = _isShort ? limit - Margin : limit;
        double now = used();

        // Much of what is used may be garbage, and when nothing comes in nobody else collects it.
        if (now >= bound && (_pause == TimeSpan.Zero || time.GetElapsedTime(_collectedAt) >= _pause))
        {
            collect();
            _collectedAt = time.GetTimestamp();
            now = used();
            _pause = now < bound ? PauseMin : TimeSpan.FromTicks(Math.Clamp(_pause.Ticks * 2, PauseMin.Ticks, PauseMax.Ticks));
        }

        if (now >= bound != _isShort)
        {
            _isShort = !_isShort;
            if (_isShort)
                Log.MemoryShort(log, now);
            else
                Log.MemoryEnough(log, now);
        }

        _timer?.Change(Period, Timeout.InfiniteTimeSpan);
    }
}
