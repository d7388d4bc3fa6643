namespace GrpcPool.Core.Tasks;

/// <summary>A point in time, or none, in eight bytes. A task has seven of them and is copied at each change, so that their size is felt.</summary>
internal readonly record struct PackedTime
{
    /// <summary>0 for none, else one more than the ticks in UTC.</summary>
    private readonly long _ticks;

    private PackedTime(DateTimeOffset time) => _ticks = time.UtcTicks + 1;

    public DateTimeOffset Value => new(_ticks - 1, TimeSpan.Zero);

    public static implicit operator PackedTime(DateTimeOffset? time) => time is { } at ? new PackedTime(at) : default;

    public static implicit operator PackedTime(DateTimeOffset time) => new(time);

    public static implicit operator DateTimeOffset?(PackedTime time) => time._ticks == 0 ? null : time.Value;
}
