using GrpcPool.Core.Execution;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

public sealed class DrainTests
{
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(25);

    [Fact(Timeout = TimeoutMs)]
    public async Task While_the_pool_drains_nothing_starts_and_nothing_comes_in()
    {
        await using TestPool pool = await StartAsync(options => options.Pool.Slots = 1);
        TestRun run = await pool.RunAsync("runs");
        await pool.SubmitAsync("waits");
        Task drain = pool.Pool.DrainAsync();
        Assert.Equal(SubmitVerdict.Draining, (await pool.SubmitAsync("late")).Verdict);
        Assert.Equal(WaitingReason.Draining, await pool.ReasonOfAsync("waits"));
        run.Succeed();
        await drain;

        Assert.Equal((TaskState.Succeeded, TaskState.Queued), (await pool.StateOfAsync("runs"), await pool.StateOfAsync("waits")));
        Assert.Equal(["runs"], pool.Store.Starts);
        Assert.Equal(PoolPhase.Closed, pool.Pool.Phase);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_runs_has_the_drain_timeout_and_is_released_without_using_an_attempt()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("heeds", Spec with { Retry = new RetryPolicy { MaxAttempts = 3 } });
        TestRun stubborn = await pool.RunAsync("stubborn", Stubborn);
        DateTimeOffset began = pool.Now;
        Task drain = pool.Pool.DrainAsync();
        await pool.AdvanceUntilAsync(drain);

        Assert.True(await run.Stopped - began >= DrainTimeout);
        Assert.True(await stubborn.Killed - began >= DrainTimeout);
        foreach (string id in (string[])["heeds", "stubborn"])
        {
            TaskRecord released = await pool.FindAsync(id);
            Assert.Equal((TaskState.Queued, 1, 0, 0), (released.State, released.Attempt, released.Failures, released.Losses));
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_task_that_may_run_only_once_fails_when_it_is_released()
    {
        await using TestPool pool = await StartAsync();
        await pool.RunAsync("once", Spec with { Retry = new RetryPolicy { MaxLosses = 0 } });
        await pool.AdvanceUntilAsync(pool.Pool.DrainAsync());

        Assert.Equal(FailureCode.LeaseLost, (await pool.FindAsync("once")).Failure!.Code);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Whoever_waits_for_a_task_hears_of_its_end_during_the_drain()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t");
        Task<TaskRecord?> wait = pool.Pool.WaitAsync(Id("t"), TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
        Task drain = pool.Pool.DrainAsync();
        run.Succeed();

        Assert.Equal(TaskState.Succeeded, (await wait)!.State);
        await drain;
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_running_task_can_be_cancelled_during_the_drain()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t");
        Task drain = pool.Pool.DrainAsync();
        await pool.CancelAsync("t");
        await run.Stopped;
        await drain;

        Assert.Equal(TaskState.Cancelled, await pool.StateOfAsync("t"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_batch_cut_by_a_drain_says_of_each_item_what_became_of_it()
    {
        TestPool pool = await StartAsync(options => options.Pool.Slots = 1);
        pool.Store.Hold();
        Task<SubmitResult[]> batch = pool.SubmitAsync([.. Enumerable.Range(0, 5000).Select(i => New($"t{i}", Spec with { Kind = NobodysKind }))]);
        await pool.Store.WhenHeldAsync();
        Task drain = pool.Pool.DrainAsync();
        pool.Store.Release();
        SubmitResult[] results = await batch;
        await drain;

        Assert.Equal(pool.Store.Changes.Count, results.Count(result => result.Verdict == SubmitVerdict.Created));
        Assert.Equal(5000 - pool.Store.Changes.Count, results.Count(result => result.Verdict == SubmitVerdict.Draining));
        await pool.DisposeAsync();
    }
}
