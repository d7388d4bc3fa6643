namespace GrpcPool.Core.Watching;

/// <summary>What a reader is told at a time: one event at least.</summary>
/// <param name="bytesMax">How many bytes the events have at most, as <see cref="WatchPlace.BytesOf"/> counts them.</param>
/// <param name="eventsMax">How many events that can be.</param>
internal struct Portion(long bytesMax, int eventsMax)
{
    private long _bytes;

    /// <summary>From how many tasks or changes it is taken: as many events as make a message of some ten KiB.</summary>
    public readonly int EventsMax => Math.Min(Watch.EventsMax, eventsMax);

    /// <summary>Adds an event, where there is room for it.</summary>
    public bool TryAdd(WatchEvent told)
    {
        long bytes = WatchPlace.BytesOf(told);
        if (_bytes > 0 && _bytes + bytes > bytesMax)
            return false;
        _bytes += bytes;
        return true;
    }
}
