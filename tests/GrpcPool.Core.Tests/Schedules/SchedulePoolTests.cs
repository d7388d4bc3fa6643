using GrpcPool.Core.Execution;
using GrpcPool.Core.Schedules;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Execution;

namespace GrpcPool.Core.Tests.Schedules;

/// <summary>Schedules in a pool that runs: what wakes it, and what becomes of what runs.</summary>
public sealed class SchedulePoolTests
{
    private static readonly ScheduleId Id = new("default", "s");

    [Fact(Timeout = TestPool.TimeoutMs)]
    public async Task A_day_of_minutes_fires_each_of_them_once()
    {
        await using TestPool pool = await TestPool.StartAsync();
        pool.Handler.SucceedAtOnce();
        await CreateAsync(pool, new Timetable.Cron("* * * * *", "UTC"), OverlapPolicy.Allow);
        for (int minute = 1; minute <= 24 * 60; minute++)
        {
            TaskId next = Id.TaskFor(pool.Now + TimeSpan.FromMinutes(1));
            pool.Time.Advance(TimeSpan.FromMinutes(1));
            await pool.WhenAsync(next.Value, TaskState.Queued);
            await pool.SettleAsync();
        }

        ScheduleRecord schedule = await FindAsync(pool);
        Assert.Equal((24 * 60, 0, 0), (schedule.Runs, schedule.Skipped, schedule.Missed));
    }

    [Fact(Timeout = TestPool.TimeoutMs)]
    public async Task What_runs_is_told_to_stop_for_the_next_and_killed_after_ten_seconds()
    {
        await using TestPool pool = await TestPool.StartAsync();
        await CreateAsync(pool, new Timetable.FixedRate(TimeSpan.FromMinutes(1)), OverlapPolicy.CancelRunning, TestPool.Stubborn);
        pool.Time.Advance(TimeSpan.FromMinutes(1));
        TestRun first = await pool.Handler.StartedAsync(Id.TaskFor(pool.Now).Value);
        pool.Time.Advance(TimeSpan.FromMinutes(1));
        DateTimeOffset second = pool.Now;
        Assert.Equal(second, await first.Stopped);
        await pool.Handler.StartedAsync(Id.TaskFor(second).Value);
        await pool.SettleAsync();
        pool.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(second + TimeSpan.FromSeconds(10), await first.Killed);
        first.Succeed();
    }

    [Fact(Timeout = TestPool.TimeoutMs)]
    public async Task A_trigger_runs_now_also_while_the_schedule_is_paused()
    {
        await using TestPool pool = await TestPool.StartAsync();
        await CreateAsync(pool, new Timetable.FixedRate(TimeSpan.FromMinutes(1)), OverlapPolicy.Skip);
        await pool.Pool.Schedules.PauseAsync(Id, paused: true);
        SubmitResult[] results = await Task.WhenAll((await TriggerAsync(pool)), (await TriggerAsync(pool)));
        Assert.Equal(2, results.Select(static result => result.Task!.Id).Distinct().Count());
        Assert.All(results, static result => Assert.Equal((SubmitVerdict.Created, "s"), (result.Verdict, result.Task!.Spec.ScheduleId)));
        Assert.Equal((2, null), ((await FindAsync(pool)).Runs, (await FindAsync(pool)).WakeAt));

        static async Task<Task<SubmitResult>> TriggerAsync(TestPool pool) => pool.SubmitAsync(pool.Pool.Schedules.TaskForNow(await FindAsync(pool), by: ""));
    }

    [Fact(Timeout = TestPool.TimeoutMs)]
    public async Task A_fixed_delay_counts_from_the_end_of_a_run()
    {
        await using TestPool pool = await TestPool.StartAsync();
        await CreateAsync(pool, new Timetable.FixedDelay(TimeSpan.FromMinutes(1)), OverlapPolicy.Skip);
        pool.Time.Advance(TimeSpan.FromMinutes(1));
        string id = Id.TaskFor(pool.Now).Value;
        TestRun run = await pool.Handler.StartedAsync(id);
        pool.Time.Advance(TimeSpan.FromHours(1));
        Task<TaskRecord> end = pool.WhenAsync(id, TaskState.Succeeded);
        run.Succeed();
        await end;
        await pool.SettleAsync();
        Assert.Equal((1, pool.Now + TimeSpan.FromMinutes(1)), ((await FindAsync(pool)).Runs, (await FindAsync(pool)).WakeAt));
    }

    [Fact(Timeout = TestPool.TimeoutMs)]
    public async Task Deleting_a_schedule_cancels_its_tasks_where_that_is_asked()
    {
        await using TestPool pool = await TestPool.StartAsync();
        await CreateAsync(pool, new Timetable.FixedRate(TimeSpan.FromMinutes(1)), OverlapPolicy.Allow);
        pool.Time.Advance(TimeSpan.FromMinutes(1));
        TestRun run = await pool.Handler.StartedAsync(Id.TaskFor(pool.Now).Value);
        (CommandOutcome outcome, long cancelled) = await pool.Pool.Schedules.DeleteAsync(Id, cancelTasks: true, by: "", TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Equal((Verdict.Done, 1), (outcome.Verdict, cancelled));
        await run.Stopped;
        Assert.Null(await pool.Pool.Schedules.FindAsync(Id));
    }

    [Fact(Timeout = TestPool.TimeoutMs)]
    public async Task The_next_times_are_those_at_which_it_fires()
    {
        await using TestPool pool = await TestPool.StartAsync();
        await CreateAsync(pool, new Timetable.Cron("*/5 * * * *", "UTC"), OverlapPolicy.Allow, configure: static spec => spec with { MaxRuns = 3, Jitter = TimeSpan.FromMinutes(2) });
        pool.Handler.SucceedAtOnce();
        IReadOnlyList<DateTimeOffset> upcoming = ScheduleBook.Upcoming(await FindAsync(pool), 10);
        Assert.Equal(3, upcoming.Count);
        foreach (DateTimeOffset next in upcoming)
        {
            Assert.Equal(next, (await FindAsync(pool)).WakeAt);
            string id = Id.TaskFor((await FindAsync(pool)).DueAt!.Value).Value;
            pool.Time.Advance(next - pool.Now);
            await pool.WhenAsync(id, TaskState.Queued);
            await pool.SettleAsync();
        }

        Assert.Empty(ScheduleBook.Upcoming(await FindAsync(pool), 10));
    }

    private static async Task CreateAsync(
        TestPool pool, Timetable timetable, OverlapPolicy overlap, TaskSpec? task = null, Func<ScheduleSpec, ScheduleSpec>? configure = null)
    {
        var spec = new ScheduleSpec { Task = task ?? TestPool.Spec, Timetable = timetable, Overlap = overlap };
        Assert.Equal(Verdict.Done, (await pool.Pool.Schedules.CreateAsync(Id, configure?.Invoke(spec) ?? spec, paused: false, by: "")).Verdict);
    }

    private static async Task<ScheduleRecord> FindAsync(TestPool pool) => (await pool.Pool.Schedules.FindAsync(Id))!;
}
