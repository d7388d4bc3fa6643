namespace GrpcPool.Core.Schedules;

/// <summary>What becomes of due times that nobody fired in time: a pure function of the policy.</summary>
internal static class Lateness
{
    /// <summary>A due time fires as if nothing were the matter up to so long after it, and after its jitter.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    /// <summary>How far <see cref="CatchUpPolicy.All"/> reaches back.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromDays(7);

    /// <summary>How many missed due times are counted at a time: those of a year of seconds are too many.</summary>
    public const int CountMax = 1000;

    /// <summary>Goes past what has been missed.</summary>
    /// <param name="schedule">A schedule whose due time has come.</param>
    /// <param name="now">The time.</param>
    /// <returns>The first due time that is to fire, now or later, and how many were missed before it.</returns>
    public static (DateTimeOffset? Resume, long Missed) Skip(ScheduleRecord schedule, DateTimeOffset now)
    {
        DateTimeOffset due = schedule.DueAt!.Value;
        DateTimeOffset inTime = now - Grace - schedule.Spec.Jitter;
        if (due >= inTime || schedule.Spec.Timetable is Timetable.FixedDelay)
            return (due, 0);
        DueTimes times = schedule.DueTimes;
        Unfired unfired = schedule.Unfired;
        DateTimeOffset? resume = schedule.Spec.CatchUp switch
        {
            CatchUpPolicy.One when times.Before(inTime) is { } last && unfired.Has(last) => last > due ? last : due,
            CatchUpPolicy.All => due >= now - Window ? due : unfired.Next(times, now - Window),
            _ => unfired.Next(times, inTime),
        };
        long missed = 0;
        for (DateTimeOffset? at = due; at < resume || (at is not null && resume is null); at = unfired.Next(times, at.Value.AddTicks(1)))
        {
            if (++missed == CountMax)
                break;
        }

        return (resume, missed);
    }
}
