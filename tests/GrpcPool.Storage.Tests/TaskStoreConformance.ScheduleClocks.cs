using GrpcPool.Core.Schedules;
using GrpcPool.Core.Storage;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

/// <summary>Schedules under a clock that jumps, over the ends of processes, and over a year.</summary>
public abstract partial class TaskStoreConformance
{
    private static readonly ScheduleSpec Hourly = GivenSchedule.Spec with { Timetable = new Timetable.Cron("0 * * * *", "UTC"), Overlap = OverlapPolicy.Allow };

    [Theory(Timeout = TestMilliseconds)]
    [InlineData(1)]
    [InlineData(24)]
    [InlineData(24 * 365)]
    public async Task Whatever_way_the_clock_jumps_each_due_time_that_it_passes_fires_once(int hours)
    {
        TimeSpan jump = TimeSpan.FromHours(hours);
        await Store.DoAsync(GivenSchedule.Create("s", Hourly));
        var expected = new HashSet<DateTimeOffset>();
        foreach (TimeSpan leap in (TimeSpan[])[TimeSpan.Zero, jump, -jump, jump, jump, -jump, -jump])
        {
            if (leap != TimeSpan.Zero)
                await LeapAsync(leap, expected);
            for (int i = 0; i < 3 * 30; i++)
                await LeapAsync(2 * Minute, expected);
        }

        string[] fired = [.. (await Store.ScanAsync(new TaskFilter(Given.Namespace) { ScheduleId = "s" })).Select(static task => task.Id.Value)];
        Assert.Equal(expected.Select(static due => GivenSchedule.Id("s").TaskFor(due).Value).Order(), fired.Order());
        Assert.Equal(fired.Length, (await ScheduleAsync("s")).Runs);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_pause_does_not_grow_when_the_clock_is_set_back()
    {
        await Store.DoAsync(GivenSchedule.Create("s", GivenSchedule.After(Hour)));
        Store.Pass(TimeSpan.FromDays(-365));
        await Store.DoAsync(new RewindSchedules());
        Assert.Equal(Store.Now + Hour, (await ScheduleAsync("s")).WakeAt);
    }

    /// <summary>As a process does that is killed at any moment: what it had committed is all there is.</summary>
    [Fact(Timeout = TestMilliseconds)]
    public async Task The_end_of_a_process_neither_doubles_nor_loses_a_firing()
    {
        if (Reopen(CreateStore(HistoryMax)) is null)
            return;
        await Store.DoAsync(GivenSchedule.Create("cron", Hourly));
        await Store.DoAsync(GivenSchedule.Create("delay", GivenSchedule.After(Hour)));
        await Store.DoAsync(GivenSchedule.Create("held", GivenSchedule.Every(Hour, OverlapPolicy.QueueOne) with { Jitter = Minute / 12 }));
        for (int i = 0; i < 5; i++)
        {
            Store.Pass(Hour + Minute / 6);
            await Store.ReopenAsync(Reopen(Store.Store)!);
            ScheduleRecord[] before = [await ScheduleAsync("cron"), await ScheduleAsync("delay"), await ScheduleAsync("held")];
            await Store.DoAsync(GivenSchedule.Fire);
            ScheduleRecord[] after = [await ScheduleAsync("cron"), await ScheduleAsync("delay"), await ScheduleAsync("held")];
            await Store.ReopenAsync(Reopen(Store.Store)!);
            Assert.Empty((await Store.CommitAsync(GivenSchedule.Fire)).Changes);
            Assert.Equal(before[0].Runs + 1, after[0].Runs);
            Assert.Equal(after.Select(Comparable), new[] { await ScheduleAsync("cron"), await ScheduleAsync("delay"), await ScheduleAsync("held") }.Select(Comparable));
        }

        Assert.Equal((5, 1, 1), ((await ScheduleAsync("cron")).Runs, (await ScheduleAsync("delay")).Runs, (await ScheduleAsync("held")).Runs));
        Assert.NotNull((await ScheduleAsync("held")).HeldBack);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_year_of_daylight_saving_has_no_double_and_no_missed_firing()
    {
        TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        await Store.DoAsync(GivenSchedule.Create("s", GivenSchedule.Spec with { Timetable = new Timetable.Cron("30 2 * * *", zone.Id), Overlap = OverlapPolicy.Allow }));
        DateTimeOffset end = Given.Now.AddYears(1);
        while (Store.Now < end)
        {
            // Whoever looks comes a little late, and sometimes for nothing.
            DateTimeOffset next = (await ScheduleAsync("s")).WakeAt!.Value;
            Store.Pass(next - Store.Now + TimeSpan.FromSeconds(next.Day % 3));
            await Store.CommitAsync(GivenSchedule.Fire, GivenSchedule.Fire);
        }

        var expected = new List<string>();
        for (DateTime day = new(2030, 1, 2); day <= new DateTime(2031, 1, 2); day = day.AddDays(1))
        {
            // 02:30 does not exist on the last Sunday of March, and twice on the last Sunday of October.
            DateTime local = zone.IsInvalidTime(day.AddHours(2.5)) ? day.AddHours(3) : day.AddHours(2.5);
            TimeSpan offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
            expected.Add(GivenSchedule.Id("s").TaskFor(new DateTimeOffset(local, offset)).Value);
        }

        ScheduleRecord schedule = await ScheduleAsync("s");
        string[] fired = [.. (await Store.ScanAsync(new TaskFilter(Given.Namespace) { ScheduleId = "s" })).Select(static task => task.Id.Value)];
        Assert.Equal(expected.Take(fired.Length), fired);
        Assert.InRange(fired.Length, 365, 366);
        Assert.Equal((fired.Length, 0, 0), (schedule.Runs, schedule.Skipped, schedule.Missed));
    }

    /// <summary>Moves the clock; knows which due times it passes for the first time.</summary>
    private async Task LeapAsync(TimeSpan leap, HashSet<DateTimeOffset> expected)
    {
        DateTimeOffset before = Store.Now;
        Store.Pass(leap);
        if (leap < TimeSpan.Zero)
            await Store.DoAsync(new RewindSchedules());
        await Store.DoAsync(GivenSchedule.Fire);
        DateTimeOffset from = Store.Now - Lateness.Grace > before ? Store.Now - Lateness.Grace : before;
        var hour = new DateTimeOffset(Store.Now.Year, Store.Now.Month, Store.Now.Day, Store.Now.Hour, 0, 0, TimeSpan.Zero);
        if (hour == Store.Now || (hour >= from && hour > before))
            expected.Add(hour);
    }

    private static object Comparable(ScheduleRecord schedule) => (schedule with { Spec = null!, SettingsHash = null, Unfired = null! }, schedule.Unfired.Frontier, string.Join(' ', schedule.Unfired.Gaps), Convert.ToHexString(SpecHash.Of(schedule.Spec)));
}
