using GrpcPool.Core.Administration;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrpcPool.Storage.Tests.Sqlite;

/// <summary>What a pool makes of a database that a former process has left.</summary>
public sealed class RestartTests
{
    private const int TimeoutMs = 30_000;

    [Fact(Timeout = TimeoutMs)]
    public async Task What_ran_when_the_process_was_killed_is_lost_and_runs_again()
    {
        await using RestartedPool pool = await RestartedPool.StartAsync();
        await pool.SubmitAsync(Given.Task("a"), Given.Task("b"), Given.Task("waits"));
        await pool.WhenBegunAsync(2);
        await pool.CrashAsync();
        TaskRecord lost = await pool.FindAsync("a");
        Assert.Equal((TaskState.Retrying, 1, 1, 0, 0L), (lost.State, lost.Losses, lost.Attempt, lost.Failures, lost.Claim));
        await pool.WhenBegunAsync(3);
        Assert.Equal("waits", pool.Begun.Last());
        TaskRecord ended = await pool.EndAsync("a");
        Assert.Equal((TaskState.Succeeded, 1, 1), (ended.State, ended.Losses, ended.Attempt));
        Assert.Equal([FailureCode.LeaseLost, null], ended.Attempts.Select(static attempt => attempt.Failure?.Code));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_may_run_at_most_once_fails_when_it_is_lost()
    {
        await using RestartedPool pool = await RestartedPool.StartAsync();
        await pool.SubmitAsync(Given.Task("a", Given.Spec with { Retry = new RetryPolicy { MaxLosses = 0 } }));
        await pool.WhenBegunAsync(1);
        await pool.CrashAsync();
        TaskRecord failed = await pool.FindAsync("a");
        Assert.Equal((TaskState.Failed, FailureCode.LeaseLost), (failed.State, failed.Failure!.Code));
        Assert.Equal(1, Counted(pool, TaskState.Failed));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_an_operator_has_changed_holds_in_the_next_process()
    {
        await using RestartedPool pool = await RestartedPool.StartAsync();
        var admin = new PoolAdmin(pool.Pool, NullLogger<PoolAdmin>.Instance);
        await admin.ResizeAsync(1, "me");
        await admin.UpdateAsync(new QueueUpdate(Given.Spec.Queue) { Paused = true, Limit = 7 }, "me");
        await pool.SubmitAsync(Given.Task("a"), Given.Task("b"));
        await pool.CrashAsync();
        QueueRules rules = pool.Pool.Settings.Queue(Given.Spec.Queue);
        Assert.Equal((1, 7, true), (pool.Pool.Settings.Slots, rules.Limit, rules.Paused));
        Assert.Equal(WaitingReason.QueuePaused, pool.Pool.View(await pool.FindAsync("a")).WaitingReason);
        Assert.Empty(pool.Begun);

        await pool.RestartAsync();
        admin = new PoolAdmin(pool.Pool, NullLogger<PoolAdmin>.Instance);
        await admin.UpdateAsync(new QueueUpdate(Given.Spec.Queue) { Paused = false }, "me");
        await pool.WhenBegunAsync(1);
        Assert.Equal((1, 1), (pool.Pool.Settings.Slots, pool.Pool.Dispatcher.SlotsUsed));
        await pool.EndAsync("b");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_end_in_good_order_loses_nothing_and_uses_no_attempt()
    {
        await using RestartedPool pool = await RestartedPool.StartAsync();
        await pool.SubmitAsync(Given.Task("a"));
        await pool.WhenBegunAsync(1);
        await pool.RestartAsync();
        await pool.WhenBegunAsync(2);
        TaskRecord again = await pool.EndAsync("a");
        Assert.Equal((TaskState.Succeeded, 1, 0, 0), (again.State, again.Attempt, again.Losses, again.Failures));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_serial_key_keeps_its_line()
    {
        await using RestartedPool pool = await RestartedPool.StartAsync();
        await pool.SubmitAsync(Given.Serial("first"), Given.Serial("second"), Given.Serial("third"));
        await pool.WhenBegunAsync(1);
        await pool.CrashAsync();
        Assert.True((await pool.FindAsync("second")).Blocked);
        await pool.EndAsync("third");
        Assert.Equal(["first", "first", "second", "third"], pool.Begun);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_backlog_larger_than_what_is_in_memory_is_worked_off()
    {
        const int tasks = 1200;
        await using RestartedPool pool = await RestartedPool.StartAsync();
        await pool.SubmitAsync([.. Enumerable.Range(0, tasks).Select(static i => Given.Task($"task{i}"))]);
        await pool.WhenBegunAsync(2);
        await pool.CrashAsync();
        Assert.Equal(tasks, Counted(pool));
        await pool.EndAsync($"task{tasks - 1}");
        await pool.EndAsync("task0");
        await pool.WhenBegunAsync(tasks + 2);
        Assert.Equal(tasks, pool.Begun.Distinct().Count());
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Delays_go_on()
    {
        await using RestartedPool pool = await RestartedPool.StartAsync();
        await pool.SubmitAsync(Given.Task("later") with { RunAt = pool.Time.GetUtcNow().AddMinutes(1) });
        await pool.CrashAsync();
        Assert.Equal(TaskState.Scheduled, (await pool.FindAsync("later")).State);
        Assert.Equal(TaskState.Succeeded, (await pool.EndAsync("later")).State);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_watcher_resumes_by_the_revision_of_the_former_process()
    {
        await using RestartedPool pool = await RestartedPool.StartAsync();
        await pool.SubmitAsync(Given.Task("known"));
        await pool.WhenBegunAsync(1);
        long revision = pool.Pool.Revision;
        await pool.SubmitAsync(Given.Task("missed"));
        await pool.WhenBegunAsync(2);
        await pool.CrashAsync();
        Assert.Equal([("known", TaskState.Retrying), ("missed", TaskState.Retrying)], await pool.ResumeAsync(revision));
    }

    private static long Counted(RestartedPool pool, params TaskState[] states) =>
        pool.Pool.TryCount(new TaskFilter(Given.Namespace) { States = states })!.Sum(static count => count.Count);
}
