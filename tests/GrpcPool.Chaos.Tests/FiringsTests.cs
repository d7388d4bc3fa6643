using Google.Protobuf.WellKnownTypes;
using GrpcPool.Chaos.Histories;
using GrpcPool.V1;

namespace GrpcPool.Chaos.Tests;

/// <summary>The judge of schedules: what it must not let pass.</summary>
public sealed class FiringsTests
{
    private static readonly DateTimeOffset Start = new(2027, 1, 31, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public void One_task_for_each_due_time_is_in_order() => Assert.Empty(Judge(Every(OverlapPolicy.Allow), [0, 1, 2]));

    [Fact]
    public void A_due_time_that_is_left_out_is_a_violation() => Assert.Contains(Judge(Every(OverlapPolicy.Allow), [0, 2]), static violation => violation.StartsWith("s did not fire for ", StringComparison.Ordinal));

    [Fact]
    public void A_due_time_that_is_neither_fired_nor_skipped_is_a_violation()
    {
        Schedule schedule = Every(OverlapPolicy.Skip);
        schedule.Skipped = 1;
        Assert.Empty(Judge(schedule, [0, 2]));
        Assert.Equal(["s was due 3 times, fired for 1 and counts 1 skipped"], Judge(schedule, [0]));
    }

    [Fact]
    public void A_due_time_with_two_tasks_is_a_violation() => Assert.Contains("s fired 2 times for 2027-01-31T08:00:01.0000000+00:00", Judge(Every(OverlapPolicy.Allow), [0, 1, 1, 2]));

    [Fact]
    public void A_time_that_is_none_of_its_own_is_a_violation() =>
        Assert.Contains(Judge(Every(OverlapPolicy.Allow), [0, 1, 2, 3]), static violation => violation.StartsWith("s fired when it was not due: ", StringComparison.Ordinal));

    [Fact]
    public void A_counter_that_is_not_the_number_of_tasks_is_a_violation()
    {
        Schedule schedule = Every(OverlapPolicy.Allow);
        TaskInfo[] tasks = [.. Enumerable.Range(0, 3).Select(second => Fired(schedule, second))];
        (schedule.Runs, schedule.LastTaskId) = (4, tasks[1].Id);
        Assert.Equal(["s counts 4 runs and has 3 tasks", $"s has {tasks[1].Id} as its last task"], new Firings(schedule, tasks).Judge());
    }

    [Fact]
    public void A_fixed_delay_goes_on_from_the_end_of_each_run_to_its_end()
    {
        Schedule schedule = Every(OverlapPolicy.Skip);
        schedule.FixedDelay = schedule.FixedRate;
        Assert.Empty(Judge(schedule, [0, 1, 2]));
        Assert.Contains("s ended before its end", Judge(schedule, [0, 1]));
        Assert.Contains(Judge(schedule, [0, 2]), static violation => violation.StartsWith("s fired s:20270131T080002Z after ", StringComparison.Ordinal));
    }

    /// <summary>Due at the seconds 0, 1 and 2.</summary>
    private static Schedule Every(OverlapPolicy overlap) => new()
    {
        Id = "s",
        FixedRate = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)),
        StartAt = Timestamp.FromDateTimeOffset(Start),
        EndAt = Timestamp.FromDateTimeOffset(Start.AddSeconds(2)),
        Overlap = overlap,
    };

    private static IReadOnlyList<string> Judge(Schedule schedule, int[] seconds)
    {
        TaskInfo[] tasks = [.. seconds.Select(second => Fired(schedule, second))];
        (schedule.Runs, schedule.LastTaskId) = (tasks.Length, tasks[^1].Id);
        return new Firings(schedule, tasks).Judge();
    }

    private static TaskInfo Fired(Schedule schedule, int second)
    {
        DateTimeOffset due = Start.AddSeconds(second);
        return new TaskInfo { Id = Firings.IdOf(schedule, due), ScheduleId = schedule.Id, State = TaskState.Succeeded, SubmittedAt = Timestamp.FromDateTimeOffset(due), FinishedAt = Timestamp.FromDateTimeOffset(due) };
    }
}
