using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

public sealed class TimeoutTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact(Timeout = TimeoutMs)]
    public async Task A_delayed_task_starts_when_it_is_due_and_not_before()
    {
        await using TestPool pool = await StartAsync();
        DateTimeOffset due = pool.Now.AddMinutes(2);
        await pool.SubmitAsync("delayed", runAt: due);
        pool.Time.Advance(TimeSpan.FromMinutes(2) - TimeSpan.FromMilliseconds(1));
        await pool.SettleAsync();
        Assert.Equal(TaskState.Scheduled, await pool.StateOfAsync("delayed"));

        pool.Time.Advance(TimeSpan.FromMilliseconds(1));
        await pool.Handler.StartedAsync("delayed");
        Assert.Equal((due, due), ((await pool.FindAsync("delayed")).StartedAt, (await pool.FindAsync("delayed")).DueAt));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task More_tasks_than_one_commit_wakes_become_due_together()
    {
        await using TestPool pool = await StartAsync();
        pool.Handler.SucceedAtOnce();
        string[] ids = [.. Enumerable.Range(0, 2500).Select(i => $"t{i}")];
        await pool.SubmitAsync([.. ids.Select(id => New(id, runAt: pool.Now.AddSeconds(5)))]);
        pool.Time.Advance(TimeSpan.FromSeconds(5));
        await pool.WhenAllAsync(ids, TaskState.Succeeded);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_timer_that_is_a_moment_early_does_not_make_a_task_late()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync("delayed", runAt: pool.Now.AddMilliseconds(100));
        pool.Time.AdjustTime(pool.Now.AddMilliseconds(-3));
        pool.Time.Advance(TimeSpan.FromMilliseconds(100));
        await pool.SettleAsync();
        Assert.Equal(TaskState.Scheduled, await pool.StateOfAsync("delayed"));

        pool.Time.Advance(TimeSpan.FromMilliseconds(3));
        await pool.Handler.StartedAsync("delayed");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_step_forward_of_the_wall_clock_is_noticed_within_ten_seconds()
    {
        await using TestPool pool = await StartAsync();
        TestRun limited = await pool.RunAsync("limited", Spec with { TotalTimeout = TimeSpan.FromHours(3) });
        await pool.SubmitAsync("delayed", runAt: pool.Now.AddHours(2));
        pool.Time.AdjustTime(pool.Now.AddHours(4));
        pool.Time.Advance(TimeSpan.FromSeconds(10));

        await pool.Handler.StartedAsync("delayed");
        await limited.Stopped;
        Assert.Equal(FailureCode.Timeout, (await pool.WhenAsync("limited", TaskState.Failed)).Failure!.Code);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_task_that_is_not_started_in_time_is_expired()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync("late", Spec with { Kind = NobodysKind, StartTimeout = 5 * Second }, pool.Now.AddSeconds(10));
        pool.Time.Advance(TimeSpan.FromSeconds(10));
        await pool.WhenAsync("late", TaskState.Queued);
        await pool.SettleAsync();
        pool.Time.Advance(TimeSpan.FromSeconds(5));
        TaskRecord expired = await pool.WhenAsync("late", TaskState.Expired);

        Assert.Equal((0, pool.Now), (expired.Attempt, expired.FinishedAt));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_start_timeout_ends_with_the_first_start()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t", Spec with { StartTimeout = Second, Retry = new RetryPolicy { MaxAttempts = 2, InitialBackoff = 5 * Second, Jitter = 0 } });
        run.Fail();
        await pool.WhenAsync("t", TaskState.Retrying);
        await pool.SettleAsync();
        pool.Time.Advance(5 * Second);

        Assert.Equal(2, (await pool.Handler.StartedAsync("t")).Context.Attempt);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_total_timeout_fails_a_task_that_waits()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync("waits", Spec with { Kind = NobodysKind, TotalTimeout = 5 * Second });
        TestRun run = await pool.RunAsync("retrying", Spec with { TotalTimeout = 5 * Second, Retry = new RetryPolicy { MaxAttempts = 9, InitialBackoff = 60 * Second } });
        run.Fail();
        await pool.WhenAsync("retrying", TaskState.Retrying);
        await pool.SettleAsync();
        pool.Time.Advance(5 * Second);

        foreach (string id in (string[])["waits", "retrying"])
        {
            Failure failure = (await pool.WhenAsync(id, TaskState.Failed)).Failure!;
            Assert.Equal((FailureCode.Timeout, false), (failure.Code, failure.Retryable));
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_total_timeout_stops_work_that_runs_and_is_final()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t", Spec with { TotalTimeout = 5 * Second, Retry = new RetryPolicy { MaxAttempts = 9 } });
        DateTimeOffset started = pool.Now;
        pool.Time.Advance(5 * Second);

        Assert.Equal(started + 5 * Second, await run.Stopped);
        Assert.Equal(FailureCode.Timeout, (await pool.WhenAsync("t", TaskState.Failed)).Failure!.Code);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(5, null, 5)]
    [InlineData(null, 3, 3)]
    [InlineData(5, 3, 3)]
    [InlineData(2, 3, 2)]
    public async Task Of_the_kinds_and_the_tasks_run_timeout_the_shorter_counts(int? kinds, int? tasks, int expected)
    {
        await using TestPool pool = await StartAsync(kindRunTimeout: kinds * Second);
        TestRun run = await pool.RunAsync("t", Spec with { RunTimeout = tasks * Second, Retry = new RetryPolicy { MaxAttempts = 2 } });
        pool.Time.Advance(expected * Second - TimeSpan.FromMilliseconds(1));
        Assert.False(run.Stopped.IsCompleted);
        pool.Time.Advance(TimeSpan.FromMilliseconds(1));
        TaskRecord retrying = await pool.WhenAsync("t", TaskState.Retrying);

        Assert.Equal((FailureCode.Timeout, true), (retrying.Failure!.Code, retrying.Failure.Retryable));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_stubborn_handler_that_runs_too_long_is_stopped_by_force_and_given_up()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t", Stubborn with { RunTimeout = 5 * Second });
        DateTimeOffset started = pool.Now;
        pool.Time.Advance(5 * Second);
        await run.Stopped;
        pool.Time.Advance(10 * Second);
        Assert.Equal(started + 15 * Second, await run.Killed);
        Assert.Equal(TaskState.Running, await pool.StateOfAsync("t"));
        pool.Time.Advance(Second);

        Assert.Equal(FailureCode.Timeout, (await pool.WhenAsync("t", TaskState.Failed)).Failure!.Code);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_cancellation_with_a_long_grace_does_not_lift_the_run_timeout()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t", Stubborn with { RunTimeout = 5 * Second });
        DateTimeOffset started = pool.Now;
        await pool.CancelAsync("t", TimeSpan.FromHours(1));
        pool.Time.Advance(5 * Second);
        pool.Time.Advance(10 * Second);

        Assert.Equal(started + 15 * Second, await run.Killed);
        pool.Time.Advance(Second);
        await pool.WhenAsync("t", TaskState.Cancelled);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_timeout_longer_than_a_timer_knows_is_kept()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t", Spec with { RunTimeout = TimeSpan.FromDays(100) });
        pool.Time.Advance(TimeSpan.FromDays(45));
        pool.Time.Advance(TimeSpan.FromDays(45));
        pool.Time.Advance(TimeSpan.FromDays(9));
        Assert.False(run.Stopped.IsCompleted);
        pool.Time.Advance(TimeSpan.FromDays(1));

        await run.Stopped;
    }
}
