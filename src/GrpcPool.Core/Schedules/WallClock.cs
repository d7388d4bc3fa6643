namespace GrpcPool.Core.Schedules;

/// <summary>The changes of a zone's clock, found by asking for its offset alone: what else a zone tells of them is not right for all.</summary>
internal sealed class WallClock(TimeZoneInfo zone)
{
    /// <summary>No zone has ever had two changes in so short a time that undo each other.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromHours(6);

    /// <summary>No clock was ever set back by more than a day.</summary>
    private static readonly TimeSpan LookBack = TimeSpan.FromHours(25);

    public TimeSpan OffsetAt(DateTime utc) => zone.GetUtcOffset(utc);

    /// <summary>The first moment of another offset after a time, up to another one; null where it stays the same.</summary>
    public DateTime? NextChange(DateTime from, DateTime to)
    {
        TimeSpan offset = OffsetAt(from);
        while (from < to)
        {
            DateTime step = to - from < Step ? to : from + Step;
            if (OffsetAt(step) != offset)
                return Narrow(from, step, offset);
            from = step;
        }

        return null;
    }

    /// <summary>If the clock was set back not long ago: what it shows when it no longer repeats itself. Null where it was not.</summary>
    public DateTime? RepeatsUntil(DateTime utc)
    {
        DateTime from = utc - LookBack;
        DateTime? until = null;
        while (NextChange(from, utc) is { } change)
        {
            until = change + OffsetAt(from);
            from = change;
        }

        return until;
    }

    private DateTime Narrow(DateTime same, DateTime other, TimeSpan offset)
    {
        while (other.Ticks - same.Ticks > 1)
        {
            DateTime middle = same.AddTicks((other.Ticks - same.Ticks) / 2);
            (same, other) = OffsetAt(middle) == offset ? (middle, other) : (same, middle);
        }

        return other;
    }
}
