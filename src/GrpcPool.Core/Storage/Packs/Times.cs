namespace GrpcPool.Core.Storage.Packs;

/// <summary>Times as they are stored: in ticks of 100 ns since 1970, UTC.</summary>
internal static class Times
{
    public static long ToTicks(DateTimeOffset time) => time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks;

    public static long? ToTicks(DateTimeOffset? time) => time is { } value ? ToTicks(value) : null;

    public static DateTimeOffset FromTicks(long ticks) => new(ticks + DateTimeOffset.UnixEpoch.Ticks, TimeSpan.Zero);

    public static DateTimeOffset? FromTicks(long? ticks) => ticks is { } value ? FromTicks(value) : null;

    /// <summary>Null where there is no such time.</summary>
    public static DateTimeOffset? TryFromTicks(long ticks) =>
        ticks >= -DateTimeOffset.UnixEpoch.Ticks && ticks <= DateTimeOffset.MaxValue.Ticks - DateTimeOffset.UnixEpoch.Ticks ? FromTicks(ticks) : null;
}
