namespace GrpcPool.Server.Hosting;

/// <summary>Keeps what others make happen from filling the log. Thread-safe.</summary>
/// <param name="time">The clock.</param>
/// <param name="pause">How long nothing is told after something was.</param>
internal sealed class Seldom(TimeProvider time, TimeSpan pause)
{
    private readonly Lock _lock = new();
    private long? _told;

    /// <summary>Whether it may be told now; if so, it counts as told.</summary>
    public bool MayTell()
    {
        lock (_lock)
        {
            if (_told is { } told && time.GetElapsedTime(told) < pause)
                return false;
            _told = time.GetTimestamp();
            return true;
        }
    }
}
