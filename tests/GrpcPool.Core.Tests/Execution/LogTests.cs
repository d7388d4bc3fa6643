using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Watching;
using GrpcPool.Core.Watching;
using GrpcPool.Testing;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

public sealed class LogTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact(Timeout = TimeoutMs)]
    public async Task The_first_piece_is_committed_at_once_and_the_next_after_a_second()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t");
        await using var log = new LogFollower(pool, "t");
        run.Context.WriteLog("first ");
        await log.UntilAsync("first ");
        for (int i = 0; i < 100; i++)
            run.Context.WriteLog($"{i} ");
        await pool.SettleAsync();
        Assert.Single(pool.Store.Pieces);
        await pool.AdvanceUntilAsync(log.UntilAsync("99 "));

        Assert.Equal(2, pool.Store.Pieces.Count);
        Assert.Equal(1, (await pool.FindAsync("t")).Version);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_rest_comes_with_the_ending_and_a_follower_ends_with_it()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t");
        await using var log = new LogFollower(pool, "t");
        run.Context.WriteLog("begun, ");
        await log.UntilAsync("begun, ");
        run.Context.WriteLog("ended");
        run.Succeed();
        await log.UntilEndAsync();

        Assert.Equal("begun, ended", log.Text);
        Assert.Equal(TaskState.Succeeded, await pool.StateOfAsync("t"));
        Assert.Single(pool.Store.Pieces);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_flood_keeps_its_end_and_tells_what_it_lost()
    {
        await using TestPool pool = await StartAsync(options => options.Limits.LogBytesMax = 10_000);
        TestRun run = await pool.RunAsync("t");
        await using var log = new LogFollower(pool, "t");
        run.Context.WriteLog("first");
        await log.UntilAsync("first");
        for (int i = 0; i < 100_000; i++)
            run.Context.WriteLog($"line {i}\n");
        run.Context.WriteLog("end");
        await pool.AdvanceUntilAsync(log.UntilAsync("end"));

        Assert.Equal((10_000, "first".Length + Enumerable.Range(0, 100_000).Sum(i => $"line {i}\n".Length) + 3), (pool.Store.Pieces[1].Data.Length, log.Page.Offset + log.Page.Data.Length));
        Assert.Equal(log.Page.Offset, log.Page.TruncatedBefore);
        Assert.EndsWith("line 99999\nend", await LogFollower.ReadAsync(pool, "t"), StringComparison.Ordinal);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Attempts_go_on_in_the_same_log_and_followers_stay_between_them()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync("t", Spec with { Retry = new RetryPolicy { MaxAttempts = 2, Jitter = 0 } });
        await using var log = new LogFollower(pool, "t");
        for (int attempt = 1; attempt <= 2; attempt++)
        {
            Task<TestRun> started = pool.Handler.StartedAsync("t");
            await pool.AdvanceUntilAsync(started);
            TestRun run = await started;
            run.Context.WriteLog($"attempt {run.Context.Attempt}\n");
            run.Fail();
        }

        await log.UntilEndAsync();
        Assert.Equal("attempt 1\nattempt 2\n", log.Text);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Commits_that_fail_cost_neither_text_nor_its_order_nor_the_ending()
    {
        await using TestPool pool = await StartAsync();
        pool.ErrorsExpected = true;
        TestRun run = await pool.RunAsync("t");
        await using var log = new LogFollower(pool, "t");
        pool.Store.FailCommits(2);
        run.Context.WriteLog("1 ");
        run.Context.WriteLog("2 ");
        await pool.AdvanceUntilAsync(log.UntilAsync("2 "));
        pool.Store.FailCommits(3);
        run.Context.WriteLog("3 ");
        run.Succeed();
        await pool.AdvanceUntilAsync(log.UntilEndAsync());

        Assert.Equal("1 2 3 ", log.Text);
        Assert.Equal(TaskState.Succeeded, await pool.StateOfAsync("t"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Who_was_given_up_or_lost_the_claim_logs_no_more()
    {
        await using TestPool pool = await StartAsync();
        TestRun givenUp = await pool.RunAsync("given-up", Stubborn);
        givenUp.Context.WriteLog("in time");
        await pool.CancelAsync("given-up", TimeSpan.Zero);
        await pool.AdvanceUntilAsync(pool.WhenAsync("given-up", TaskState.Cancelled));
        givenUp.Context.WriteLog("too late");
        Assert.Equal("in time", await LogFollower.ReadAsync(pool, "given-up"));

        TestRun lost = await pool.RunAsync("lost", Spec with { Retry = new RetryPolicy { Jitter = 0 } });
        TaskRecord running = await pool.FindAsync("lost");
        await pool.CommitAsync(new EndAttempt(running.Id, running.Claim, new AttemptEnding.Lost()));
        lost.Context.WriteLog("stale");
        Task<TestRun> again = pool.Handler.StartedAsync("lost");
        await pool.AdvanceUntilAsync(again);
        lost.Succeed();
        (await again).Context.WriteLog("fresh");
        (await again).Succeed();
        await pool.WhenAsync("lost", TaskState.Succeeded);
        Assert.Equal("fresh", await LogFollower.ReadAsync(pool, "lost"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_task_that_is_deleted_meanwhile_is_not_found()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t");
        await using var log = new LogFollower(pool, "t");
        run.Context.WriteLog("text");
        await log.UntilAsync("text");
        TaskRecord running = await pool.FindAsync("t");

        // Ended and deleted in one commit: the follower never sees it final.
        pool.Store.Hold();
        Task<SubmitResult> held = pool.SubmitAsync("other");
        await pool.Store.WhenHeldAsync();
        Task ended = pool.CommitAsync(new EndAttempt(running.Id, running.Claim, Given.Success));
        Task<CommandOutcome> deleted = pool.Pool.DeleteAsync(running.Id);
        pool.Store.Release();
        await Task.WhenAll(held, ended, deleted);

        Assert.Equal(Verdict.Done, (await deleted).Verdict);
        Assert.Equal(WatchFault.NotFound, (await Assert.ThrowsAsync<WatchException>(log.UntilEndAsync)).Fault);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task At_the_pools_end_what_has_not_finished_is_broken_off_after_its_last_bytes()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t");
        await using var log = new LogFollower(pool, "t");
        run.Context.WriteLog("begun, ");
        await log.UntilAsync("begun, ");
        run.Context.WriteLog("released");
        Task drained = pool.Pool.DrainAsync();
        Task<WatchException> ended = Assert.ThrowsAsync<WatchException>(log.UntilEndAsync);
        await pool.AdvanceUntilAsync(Task.WhenAll(drained, ended), Second);

        Assert.Equal(WatchFault.Draining, (await ended).Fault);
        Assert.Equal("begun, released", log.Text);
    }
}
