using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace GrpcPool.Core.Schedules;

/// <summary>When a schedule is due: pure functions of what it says, and of since when that holds.</summary>
internal sealed class DueTimes
{
    private static readonly TimeSpan Tick = new(1);

    private readonly ScheduleSpec _spec;
    private readonly DateTimeOffset _since;
    private readonly CronTimes? _cron;

    /// <param name="spec">What the schedule says.</param>
    /// <param name="since">Since when its timetable holds.</param>
    public DueTimes(ScheduleSpec spec, DateTimeOffset since)
    {
        (_spec, _since) = (spec, since);
        _cron = spec.Timetable is Timetable.Cron cron ? CronTimes.Of(cron) : null;
    }

    /// <summary>The first due time after a point in time; of a fixed delay, that which an end at this time makes. Null where there is none.</summary>
    public DateTimeOffset? After(DateTimeOffset time)
    {
        if (_spec.StartAt > time)
            time = _spec.StartAt.Value - Tick;
        DateTimeOffset? due = _spec.Timetable switch
        {
            Timetable.FixedRate rate => OnGrid(rate.Period, Step(time, rate.Period) + 1),
            Timetable.FixedDelay delay => _spec.StartAt > time ? _spec.StartAt : Add(time, delay.Pause),
            _ => _cron!.After(time),
        };
        return due > _spec.EndAt ? null : due;
    }

    /// <summary>The first due time at a point in time or after it.</summary>
    public DateTimeOffset? From(DateTimeOffset time) => After(time - Tick);

    /// <summary>The last due time before a point in time; null where there is none.</summary>
    public DateTimeOffset? Before(DateTimeOffset time)
    {
        if (_spec.EndAt < time)
            time = _spec.EndAt.Value + Tick;
        DateTimeOffset? due = _spec.Timetable switch
        {
            Timetable.FixedRate rate => OnGrid(rate.Period, Step(time - Tick, rate.Period)),
            Timetable.FixedDelay => null,
            _ => _cron!.Before(time),
        };
        return due < _spec.StartAt ? null : due;
    }

    /// <summary>By how much the firing for a due time is put off.</summary>
    public static TimeSpan JitterOf(ScheduleId id, DateTimeOffset due, TimeSpan max)
    {
        if (max == TimeSpan.Zero)
            return TimeSpan.Zero;
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{id}@{due.UtcTicks}"));
        double share = BinaryPrimitives.ReadUInt32LittleEndian(hash) / (1.0 + uint.MaxValue);
        return max * share;
    }

    /// <summary>How many periods have passed since the beginning, rounded down.</summary>
    private long Step(DateTimeOffset time, TimeSpan period) => (long)Math.Floor((decimal)(time - Origin).Ticks / period.Ticks);

    private DateTimeOffset? OnGrid(TimeSpan period, long step)
    {
        // Without a start the first due time is one period after the beginning.
        if (step < (_spec.StartAt is null ? 1 : 0))
            return null;
        decimal ticks = (decimal)Origin.UtcTicks + (decimal)period.Ticks * step;
        return ticks > DateTimeOffset.MaxValue.UtcTicks ? null : new DateTimeOffset((long)ticks, TimeSpan.Zero);
    }

    private DateTimeOffset Origin => _spec.StartAt ?? _since;

    private static DateTimeOffset? Add(DateTimeOffset time, TimeSpan span) => DateTimeOffset.MaxValue - time < span ? null : time + span;
}
