using GrpcPool.Core.Schedules;

namespace GrpcPool.Testing;

/// <summary>Schedules for tests: everything has a default, and a test says by <c>with</c> what matters to it.</summary>
internal static class GivenSchedule
{
    /// <summary>Every ten minutes by the clock.</summary>
    public static readonly ScheduleSpec Spec = new() { Task = Given.Spec with { Group = "scheduled", Retention = TimeSpan.FromDays(9999) }, Timetable = new Timetable.Cron("*/10 * * * *", "UTC") };

    public static readonly FireSchedules Fire = new(1000, static _ => long.MaxValue);

    public static ScheduleId Id(string id) => new(Given.Namespace, id);

    public static CreateSchedule Create(string id, ScheduleSpec? spec = null, int max = 100) => new(Id(id), spec ?? Spec, Paused: false, max);

    public static ScheduleSpec Every(TimeSpan period, OverlapPolicy overlap = OverlapPolicy.Skip, CatchUpPolicy catchUp = CatchUpPolicy.Skip) =>
        Spec with { Timetable = new Timetable.FixedRate(period), Overlap = overlap, CatchUp = catchUp };

    public static ScheduleSpec After(TimeSpan pause) => Spec with { Timetable = new Timetable.FixedDelay(pause) };
}
