using System.Diagnostics;

namespace GrpcPool.Core.Schedules;

/// <summary>Every legal change of a schedule, as pure functions; only a store makes one true.</summary>
internal static class ScheduleChanges
{
    public static ScheduleRecord Create(ScheduleId id, ScheduleSpec spec, bool paused, DateTimeOffset now) => new()
    {
        Id = id,
        Spec = spec,
        CreatedAt = now,
        UpdatedAt = now,
        Since = now,
        Paused = paused,
        DueAt = new DueTimes(spec, now).After(now),
        Unfired = Unfired.From(new DueTimes(spec, now).After(now)),
    };

    /// <summary>Another spec in its place. A timetable that stays goes on as if nothing had happened.</summary>
    public static ScheduleRecord Update(ScheduleRecord schedule, ScheduleSpec spec, bool paused, bool busy, DateTimeOffset now)
    {
        bool sameTimes = (spec.Timetable, spec.StartAt, spec.EndAt) == (schedule.Spec.Timetable, schedule.Spec.StartAt, schedule.Spec.EndAt);
        ScheduleRecord updated = (schedule.Paused, paused) switch
        {
            (true, false) => Resume(schedule, busy, now),
            (false, true) => Pause(schedule, now),
            _ => Change(schedule, now),
        };
        updated = updated with { Spec = spec, Paused = paused };
        if (!sameTimes)
        {
            bool waits = spec.Timetable is Timetable.FixedDelay && busy;
            DateTimeOffset? due = new DueTimes(spec, now).After(now);
            updated = updated with { Since = now, HeldBack = null, DueAt = waits ? null : due, Unfired = Unfired.From(due) };
        }

        // A bound that was raised lets it go on.
        return Bounded(sameTimes && schedule.DueAt is null ? GoOn(updated, busy, now) : updated);
    }

    /// <summary>No due time is made up for later, nor what was held back.</summary>
    public static ScheduleRecord Pause(ScheduleRecord schedule, DateTimeOffset now) => schedule.Paused ? schedule : Change(schedule, now) with
    {
        Paused = true,
        HeldBack = null,
        Skipped = schedule.Skipped + (schedule.HeldBack is null ? 0 : 1),
    };

    /// <summary>Goes on with the next due time from now.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="busy">Whether a task of it has not ended.</param>
    /// <param name="now">The time.</param>
    public static ScheduleRecord Resume(ScheduleRecord schedule, bool busy, DateTimeOffset now)
    {
        if (!schedule.Paused)
            return schedule;
        ScheduleRecord resumed = Change(schedule, now) with { Paused = false };
        return Bounded(schedule.DueAt > now ? resumed : GoOn(resumed, busy, now));
    }

    /// <summary>Goes past what was missed; see <see cref="Lateness"/>.</summary>
    public static ScheduleRecord SkipMissed(ScheduleRecord schedule, DateTimeOffset now)
    {
        (DateTimeOffset? resume, long missed) = Lateness.Skip(schedule, now);
        if (missed == 0)
            return schedule;
        return schedule with { DueAt = resume, Missed = schedule.Missed + missed, Unfired = schedule.Unfired.Past(resume, now) };
    }

    /// <summary>The present due time is dealt with. That of a fixed delay is made by the end of its run.</summary>
    public static ScheduleRecord Advance(ScheduleRecord schedule)
    {
        if (schedule.Spec.Timetable is Timetable.FixedDelay)
            return schedule with { DueAt = null };
        DateTimeOffset due = schedule.DueAt!.Value;
        DueTimes times = schedule.DueTimes;
        Unfired left = schedule.Unfired.Without(times, due);
        return schedule with { DueAt = left.Next(times, due), Unfired = left };
    }

    public static ScheduleRecord Skip(ScheduleRecord schedule, string? reason, DateTimeOffset now) => schedule with
    {
        Skipped = schedule.Skipped + 1,
        LastFailure = reason is null ? schedule.LastFailure : new ScheduleFailure("", reason, now),
    };

    /// <summary>It has submitted a task.</summary>
    public static ScheduleRecord Submitted(ScheduleRecord schedule, string taskId, DateTimeOffset now) => Bounded(schedule with
    {
        Runs = schedule.Runs + 1,
        LastRunAt = now,
        LastTaskId = taskId,
        DueAt = schedule.Spec.Timetable is Timetable.FixedDelay ? null : schedule.DueAt,
    });

    /// <summary>None of its tasks is left that has not ended.</summary>
    public static ScheduleRecord Idle(ScheduleRecord schedule, DateTimeOffset now) => schedule.Spec.Timetable is Timetable.FixedDelay
        ? Bounded(schedule with { DueAt = schedule.DueTimes.After(now) })
        : schedule;

    /// <summary>The clock was set back: due times that it had gone past are still to come, and a pause does not last longer than it should.</summary>
    public static ScheduleRecord Rewind(ScheduleRecord schedule, DateTimeOffset now)
    {
        Debug.Assert(schedule.RewindAt > now, "it has to be found anew");
        if (schedule.Spec.Timetable is Timetable.FixedDelay)
            return schedule with { DueAt = schedule.DueTimes.After(now) };
        return Bounded(schedule with { DueAt = schedule.Unfired.Next(schedule.DueTimes, now) });
    }

    /// <summary>Goes on with the next due time from now, if it is not the end of a run that makes it.</summary>
    private static ScheduleRecord GoOn(ScheduleRecord schedule, bool busy, DateTimeOffset now)
    {
        if (schedule.Spec.Timetable is Timetable.FixedDelay)
            return busy ? schedule : schedule with { DueAt = schedule.DueTimes.After(now) };
        DateTimeOffset? next = schedule.Unfired.Next(schedule.DueTimes, now.AddTicks(1));
        return schedule with { DueAt = next, Unfired = next >= schedule.Unfired.Frontier ? schedule.Unfired with { Frontier = next } : schedule.Unfired };
    }

    private static ScheduleRecord Change(ScheduleRecord schedule, DateTimeOffset now) => schedule with { Version = schedule.Version + 1, UpdatedAt = now };

    /// <summary>After the last run there is no due time any more.</summary>
    private static ScheduleRecord Bounded(ScheduleRecord schedule) =>
        schedule.Spec.MaxRuns > 0 && schedule.Runs >= schedule.Spec.MaxRuns ? schedule with { DueAt = null, HeldBack = null } : schedule;
}
