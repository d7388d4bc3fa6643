using GrpcPool.Core.Hosting;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

public sealed class StoreFaultTests
{
    [Fact(Timeout = TimeoutMs)]
    public async Task Whoever_waited_for_a_failed_commit_hears_of_it_and_the_pool_goes_on()
    {
        await using TestPool pool = await StartAsync();
        pool.ErrorsExpected = true;
        pool.Store.FailCommits(1);
        await Assert.ThrowsAsync<IOException>(() => pool.SubmitAsync("lost"));
        Task<TestRun> running = pool.RunAsync("next");
        await pool.AdvanceUntilAsync(running);

        Assert.Null(await pool.Pool.FindAsync(Id("lost")));
        Assert.Equal(1, pool.Handler.Running);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_ending_is_committed_however_often_that_fails_at_first()
    {
        await using TestPool pool = await StartAsync();
        pool.ErrorsExpected = true;
        TestRun run = await pool.RunAsync("t");
        pool.Store.FailCommits(3);
        run.Succeed();

        await pool.AdvanceUntilAsync(pool.WhenAsync("t", TaskState.Succeeded));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_drain_ends_though_nothing_can_be_committed()
    {
        await using TestPool pool = await StartAsync();
        pool.ErrorsExpected = true;
        (TestRun ended, _) = (await pool.RunAsync("ended"), await pool.RunAsync("runs"));
        pool.Store.FailCommits(int.MaxValue);
        ended.Succeed();
        await pool.AdvanceUntilAsync(pool.Pool.DisposeAsync().AsTask());

        Assert.Equal((TaskState.Running, TaskState.Running), ((await pool.Store.FindAsync(Id("ended")))!.State, (await pool.Store.FindAsync(Id("runs")))!.State));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Starts_whose_commit_failed_are_made_again()
    {
        await using TestPool pool = await StartAsync(options => options.Pool.Slots = 2);
        pool.ErrorsExpected = true;
        TestRun[] first = [await pool.RunAsync("a", Spec with { Slots = 1 }), await pool.RunAsync("b")];
        string[] ids = [.. Enumerable.Range(0, 50).Select(i => $"t{i}")];
        await pool.SubmitAsync([.. ids.Select(id => New(id))]);
        pool.Store.FailCommits(2);
        pool.Handler.SucceedAtOnce();
        foreach (TestRun run in first)
            run.Succeed();

        await pool.AdvanceUntilAsync(pool.WhenAllAsync(ids, TaskState.Succeeded));
        Assert.InRange(pool.Handler.RunningMax, 1, 2);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_lane_that_cannot_be_read_costs_no_running_task_its_slot()
    {
        await using TestPool pool = await StartAsync(options => options.Pool.Slots = 2);
        pool.ErrorsExpected = true;
        string[] ids = [.. Enumerable.Range(0, 1100).Select(i => $"t{i}")];
        TestRun first = await pool.RunAsync("first", Spec with { Slots = 2 });
        await pool.SubmitAsync([.. ids.Select(id => New(id))]);
        for (int i = 0; i < 1023; i++)
            await pool.CancelAsync(ids[i]);

        // One task is left in the window: it starts, and in the same breath the lane is to be read for the next.
        pool.Store.FailReads(1);
        first.Succeed();
        await pool.AdvanceUntilAsync(Task.WhenAll(pool.Handler.StartedAsync(ids[1023]), pool.Handler.StartedAsync(ids[1024])));
        await pool.SettleAsync();

        Assert.Equal(2, pool.Handler.Running);
        Assert.Equal(["first", ids[1023], ids[1024]], pool.Store.Starts);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_submission_whose_id_cannot_be_looked_up_hears_of_it()
    {
        await using TestPool pool = await StartAsync(options => options.Queues["default"] = new QueueOptions { Capacity = 1 });
        pool.ErrorsExpected = true;
        await pool.SubmitAsync("full", Spec with { Kind = NobodysKind });
        pool.Store.FailReads(1);

        await Assert.ThrowsAsync<IOException>(() => pool.SubmitAsync("next"));
    }
}
