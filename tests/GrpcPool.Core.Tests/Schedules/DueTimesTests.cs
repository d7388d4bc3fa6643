using GrpcPool.Core.Schedules;
using GrpcPool.Core.Tests.Execution;

namespace GrpcPool.Core.Tests.Schedules;

public sealed class DueTimesTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<string> Lists => ["0 * * * *", "*/15 * * * *", "30 */2 * * *"];

    public static TheoryData<string> Names => ["0 0 * * *", "30 2 * * *", "0 3 * * *", "59 23 * * *", "15 1,2,3 * * *"];

    /// <summary>Around every change of the clock of every zone in 2026, against a model that knows no cron.</summary>
    [Theory]
    [MemberData(nameof(Lists))]
    [MemberData(nameof(Names))]
    public void Cron_agrees_with_the_clock_on_the_wall_in_all_zones(string expression)
    {
        bool isList = Lists.Any(list => list.Data == expression);
        string[] fields = expression.Split(' ');
        int changes = 0;
        foreach (TimeZoneInfo zone in TimeZoneInfo.GetSystemTimeZones())
        {
            var times = new DueTimes(SpecOf(new Timetable.Cron(expression, zone.Id)), Now);
            foreach (DateTimeOffset change in ChangesOf(zone, 2026))
            {
                changes++;
                (DateTimeOffset from, DateTimeOffset to) = (change.AddHours(-14), change.AddHours(14));
                var model = new WallClockModel(zone, (hour, minute) => Matches(fields[1], hour) && Matches(fields[0], minute), isList);
                DateTimeOffset[] expected = [.. model.Between(from, to)];
                Assert.True(expected.SequenceEqual(Forward(times, from, to)), $"{zone.Id} at {change:O}: {string.Join(", ", Forward(times, from, to).Except(expected).Union(expected.Except(Forward(times, from, to))))}");
                Assert.True(expected.SequenceEqual(Backward(times, from, to).Reverse()), $"{zone.Id} at {change:O}, backwards");
            }
        }

        Assert.True(changes > 100, $"only {changes} changes of clocks were looked at");
    }

    [Theory]
    [InlineData("0 0 3 * * *", "2026-01-02T03:00:00Z")]
    [InlineData("15 30 12 * * *", "2026-01-01T12:30:15Z")]
    [InlineData("@daily", "2026-01-02T00:00:00Z")]
    [InlineData("0 12 29 2 *", "2028-02-29T12:00:00Z")]
    public void Six_fields_have_seconds(string expression, string next) =>
        Assert.Equal(DateTimeOffset.Parse(next, System.Globalization.CultureInfo.InvariantCulture), new DueTimes(SpecOf(new Timetable.Cron(expression, "UTC")), Now).After(Now));

    [Theory]
    [InlineData("")]
    [InlineData("* * * *")]
    [InlineData("60 * * * *")]
    [InlineData("* * * * * * *")]
    [InlineData("every day")]
    public void What_is_no_cron_expression_is_known(string text) => Assert.False(CronTimes.IsExpression(text));

    [Theory]
    [InlineData("Europe/Berlin", true)]
    [InlineData("UTC", true)]
    [InlineData("", false)]
    [InlineData("Nowhere/City", false)]
    [InlineData("../../../etc/passwd", false)]
    [InlineData("/etc/localtime", false)]
    public void What_is_no_time_zone_is_known(string name, bool known) => Assert.Equal(known, CronTimes.IsZone(name));

    [Fact]
    public void A_fixed_rate_has_no_drift_and_begins_with_its_start()
    {
        TimeSpan rate = TimeSpan.FromMinutes(7);
        var times = new DueTimes(SpecOf(new Timetable.FixedRate(rate)), Now);
        Assert.Equal(Now + rate, times.After(Now));
        Assert.Equal(Now + 1001 * rate, times.After(Now + 1000 * rate));
        Assert.Equal(Now + 1000 * rate, times.From(Now + 1000 * rate));
        Assert.Equal(Now + 999 * rate, times.Before(Now + 1000 * rate));
        Assert.Null(times.Before(Now + rate));
        DateTimeOffset start = Now + TimeSpan.FromDays(1);
        var later = new DueTimes(SpecOf(new Timetable.FixedRate(rate)) with { StartAt = start, EndAt = start + rate }, Now);
        Assert.Equal((start, start + rate, null), (later.After(Now), later.After(start), later.After(start + rate)));
    }

    [Fact]
    public void Jitter_is_the_same_for_the_same_due_time_and_spreads_the_others()
    {
        TimeSpan max = TimeSpan.FromMinutes(10);
        var id = new ScheduleId("default", "s");
        TimeSpan[] jitter = [.. Enumerable.Range(0, 1000).Select(i => DueTimes.JitterOf(id, Now.AddHours(i), max))];
        Assert.Equal(jitter, Enumerable.Range(0, 1000).Select(i => DueTimes.JitterOf(id, Now.AddHours(i), max)));
        Assert.All(jitter, span => Assert.InRange(span, TimeSpan.Zero, max));
        Assert.InRange(jitter.Average(static span => span.TotalMinutes), 4.5, 5.5);
        Assert.NotEqual(jitter[0], DueTimes.JitterOf(new ScheduleId("default", "t"), Now, max));
    }

    [Fact]
    public void Of_a_year_of_seconds_only_so_many_missed_ones_are_counted()
    {
        var spec = SpecOf(new Timetable.Cron("* * * * * *", "Europe/Berlin"));
        ScheduleRecord schedule = ScheduleChanges.Create(new ScheduleId("default", "s"), spec, paused: false, Now);
        ScheduleRecord skipped = ScheduleChanges.SkipMissed(schedule, Now.AddYears(1));
        Assert.Equal((Lateness.CountMax, Now.AddYears(1) - Lateness.Grace), (skipped.Missed, skipped.DueAt));
        Assert.Equal(Now.AddYears(1) - Lateness.Window, ScheduleChanges.SkipMissed(schedule with { Spec = spec with { CatchUp = CatchUpPolicy.All } }, Now.AddYears(1)).DueAt);
        Assert.Equal(Now.AddYears(1) - Lateness.Grace - TimeSpan.FromSeconds(1), ScheduleChanges.SkipMissed(schedule with { Spec = spec with { CatchUp = CatchUpPolicy.One } }, Now.AddYears(1)).DueAt);
    }

    private static ScheduleSpec SpecOf(Timetable timetable) => new() { Task = TestPool.Spec, Timetable = timetable };

    private static IEnumerable<DateTimeOffset> Forward(DueTimes times, DateTimeOffset from, DateTimeOffset to)
    {
        for (DateTimeOffset? at = times.From(from); at <= to; at = times.After(at.Value))
            yield return at.Value;
    }

    private static IEnumerable<DateTimeOffset> Backward(DueTimes times, DateTimeOffset from, DateTimeOffset to)
    {
        for (DateTimeOffset? at = times.Before(to.AddTicks(1)); at >= from; at = times.Before(at.Value))
            yield return at.Value;
    }

    private static bool Matches(string field, int value) => field[0] == '*'
        ? field.Length == 1 || value % int.Parse(field[2..], System.Globalization.CultureInfo.InvariantCulture) == 0
        : field.Split(',').Contains($"{value}");

    /// <summary>The first minute after each change of the zone's clock in a year.</summary>
    private static IEnumerable<DateTimeOffset> ChangesOf(TimeZoneInfo zone, int year)
    {
        var at = new DateTimeOffset(year, 1, 1, 0, 0, 0, TimeSpan.Zero);
        for (; at.Year == year; at = at.AddHours(1))
        {
            if (zone.GetUtcOffset(at) == zone.GetUtcOffset(at.AddHours(1)))
                continue;
            for (int minute = 1; minute <= 60; minute++)
            {
                if (zone.GetUtcOffset(at.AddMinutes(minute)) != zone.GetUtcOffset(at.AddMinutes(minute - 1)))
                    yield return at.AddMinutes(minute);
            }
        }
    }
}
