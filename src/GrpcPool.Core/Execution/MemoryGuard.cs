using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Execution;

/// <summary>
/// Says when memory is short: new work is refused then, before the process meets the limit of its container and is killed with all that it runs. Thread-safe.
/// </summary>
/// <param name="limit">From which part of the memory on it is short; 1 for never.</param>
/// <param name="memory">How much the process may use, in bytes.</param>
/// <param name="used">Which part of the memory is used, garbage included.</param>
/// <param name="collect">Gives back what is not used.</param>
/// <param name="time">When to look.</param>
/// <param name="log">Where a change is told.</param>
internal sealed class MemoryGuard(double limit, long memory, Func<double> used, Action collect, TimeProvider time, ILogger log) : IDisposable
{
    /// <summary>How much less must be used before new work is taken again.</summary>
    private const double Margin = 0.05;

    /// <summary>What a task takes beside its payload, about, in bytes.</summary>
    private const int TaskBytes = 1 << 10;

    /// <summary>So much may come between two looks, however near the limit is.</summary>
    private const int UnseenBytesMin = 1 << 20;

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    /// <summary>After a collection that did not help, the next one waits for twice as long.</summary>
    private static readonly TimeSpan PauseMin = TimeSpan.FromSeconds(1), PauseMax = TimeSpan.FromSeconds(10);

    private readonly Lock _looking = new();
    private ITimer? _timer;
    private TimeSpan _pause;
    private long _collectedAt;
    private long _unseenBytes;
    private volatile bool _isShort;

    /// <summary>Whether new work is to be refused.</summary>
    public bool IsShort => _isShort;

    public void Start()
    {
        if (limit >= 1)
            return;
        Look();
        _timer = time.CreateTimer(static guard => ((MemoryGuard)guard!).LookAgain(), this, Period, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether new work may be taken. What fills the memory faster than it is looked at is looked at in time: at the latest when half of what was left may have been taken.</summary>
    public bool Admits(IReadOnlyList<NewTask> tasks)
    {
        if (_timer is not null && !_isShort && Interlocked.Add(ref _unseenBytes, -BytesOf(tasks)) < 0)
            Look();
        return !_isShort;
    }

    public void Dispose() => _timer?.Dispose();

    private static long BytesOf(IReadOnlyList<NewTask> tasks)
    {
        long bytes = 0;
        for (int i = 0; i < tasks.Count; i++)
            bytes += TaskBytes + tasks[i].Spec.Payload.Length;
        return bytes;
    }

    private void LookAgain()
    {
        Look();
        _timer?.Change(Period, Timeout.InfiniteTimeSpan);
    }

    private void Look()
    {
        // Who comes meanwhile goes by the last look.
        if (!_looking.TryEnter())
            return;
        try
        {
            LookAlone();
        }
        finally
        {
            _looking.Exit();
        }
    }

    private void LookAlone()
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

        Volatile.Write(ref _unseenBytes, Math.Max(UnseenBytesMin, (long)((limit - now) * memory / 2)));
    }
}
