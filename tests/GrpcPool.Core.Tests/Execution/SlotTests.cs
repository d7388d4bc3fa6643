using GrpcPool.Core.Handlers;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

public sealed class SlotTests
{
    [Fact(Timeout = TimeoutMs)]
    public async Task A_thousand_tasks_against_16_slots_never_show_more_than_16_running()
    {
        await using TestPool pool = await StartAsync();
        pool.Handler.Behave(static async _ =>
        {
            await Task.Yield();
            return TaskOutcome.Succeeded();
        });
        string[] ids = [.. Enumerable.Range(0, 1000).Select(i => $"t{i}")];
        await Task.WhenAll(ids.Select(id => pool.SubmitAsync(id)));
        await pool.WhenAllAsync(ids, TaskState.Succeeded);

        Assert.InRange(pool.Handler.RunningMax, 1, 16);
        Assert.InRange(RunningMax(pool.Store.Changes), 2, 16);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task All_slots_are_used_when_there_is_enough_to_do()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync([.. Enumerable.Range(0, 20).Select(i => New($"t{i}"))]);
        for (int i = 0; i < 16; i++)
            await pool.Handler.StartedAsync($"t{i}");
        await pool.SettleAsync();

        Assert.Equal(16, pool.Handler.Running);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_big_task_reserves_slots_and_nothing_starts_before_it()
    {
        await using TestPool pool = await StartAsync(options => options.Pool.Slots = 4);
        TestRun first = await pool.RunAsync("first", Spec with { Slots = 2 });
        TestRun second = await pool.RunAsync("second");
        await pool.SubmitAsync("big", Spec with { Slots = 4 });
        await pool.SubmitAsync("small");
        await pool.SubmitAsync("elsewhere", Spec with { Queue = "other" });
        first.Succeed();
        await pool.WhenAsync("first", TaskState.Succeeded);
        await pool.SettleAsync();
        Assert.Equal(["first", "second"], pool.Store.Starts);

        second.Succeed();
        TestRun big = await pool.Handler.StartedAsync("big");
        Assert.False(pool.Handler.HasStarted("small"));
        big.Succeed();
        await pool.Handler.StartedAsync("small");
        await pool.Handler.StartedAsync("elsewhere");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_big_task_is_not_overtaken_by_a_small_one_of_the_same_batch()
    {
        await using TestPool pool = await StartAsync(options => options.Pool.Slots = 4);
        TestRun first = await pool.RunAsync("first");
        await pool.SubmitAsync([New("big", Spec with { Slots = 4 }), New("small")]);
        await pool.SettleAsync();
        Assert.Equal(["first"], pool.Store.Starts);

        first.Succeed();
        await pool.Handler.StartedAsync("big");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_atomic_batch_is_not_overtaken_by_what_comes_in_after_it()
    {
        await using TestPool pool = await StartAsync(options => options.Pool.Slots = 1);
        pool.Store.Hold();
        Task<Core.Execution.SubmitResult> holding = pool.SubmitAsync("holding", runAt: pool.Now.AddDays(1));
        await pool.Store.WhenHeldAsync();
        var batch = pool.SubmitAsync([New("earlier")], atomic: true);
        Task<Core.Execution.SubmitResult> later = pool.SubmitAsync("later");
        pool.Store.Release();
        await Task.WhenAll(holding, batch, later);
        await pool.Handler.StartedAsync("earlier");

        Assert.Equal(["earlier"], pool.Store.Starts);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_reservation_ends_with_the_task_it_is_for()
    {
        await using TestPool pool = await StartAsync(options => options.Pool.Slots = 4);
        await pool.RunAsync("first");
        await pool.SubmitAsync("big", Spec with { Slots = 4 });
        await pool.SubmitAsync("small");
        await pool.CancelAsync("big");

        await pool.Handler.StartedAsync("small");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_queue_keeps_to_its_limit_in_slots()
    {
        await using TestPool pool = await StartAsync(options => options.Queues["narrow"] = new QueueOptions { Limit = 3 });
        TaskSpec narrow = Spec with { Queue = "narrow" };
        TestRun first = await pool.RunAsync("first", narrow with { Slots = 2 });
        await pool.SubmitAsync("second", narrow with { Slots = 2 });
        await pool.SubmitAsync("third", narrow);
        await pool.RunAsync("elsewhere");
        Assert.Equal(["first", "elsewhere"], pool.Store.Starts);

        first.Succeed();
        await pool.Handler.StartedAsync("second");
        await pool.Handler.StartedAsync("third");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_task_larger_than_its_queues_limit_is_in_nobodys_way()
    {
        await using TestPool pool = await StartAsync(options => options.Queues["narrow"] = new QueueOptions { Limit = 3 });
        await pool.SubmitAsync("large", Spec with { Queue = "narrow", Slots = 4, Priority = 100 });
        await pool.RunAsync("behind", Spec with { Queue = "narrow" });

        Assert.Equal(TaskState.Queued, await pool.StateOfAsync("large"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_task_larger_than_the_pool_is_in_nobodys_way()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync("large", Spec with { Slots = 17, Priority = 100 });
        await pool.RunAsync("behind");

        Assert.Equal(TaskState.Queued, await pool.StateOfAsync("large"));
    }

    private static int RunningMax(IEnumerable<TaskChange> changes)
    {
        int running = 0, max = 0;
        foreach (TaskChange change in changes)
        {
            running += (change.Task.State == TaskState.Running ? 1 : 0) - (change.Before == TaskState.Running ? 1 : 0);
            max = Math.Max(max, running);
        }

        return max;
    }
}
