using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

public sealed class WaitingReasonTests
{
    [Fact(Timeout = TimeoutMs)]
    public async Task Each_reason_is_told()
    {
        await using TestPool pool = await StartAsync(options =>
        {
            options.Pool.Slots = 2;
            options.Queues["narrow"] = new QueueOptions { Limit = 1 };
        });
        await pool.SubmitAsync("not-due", runAt: pool.Now.AddDays(1));
        (await pool.RunAsync("backoff", Spec with { Retry = new RetryPolicy { MaxAttempts = 2 } })).Fail();
        await pool.WhenAsync("backoff", TaskState.Retrying);
        await pool.SubmitAsync("no-worker", Spec with { Kind = NobodysKind });
        await pool.RunAsync("runs", Spec with { Queue = "narrow", SerialKey = "k" });
        await pool.SubmitAsync("limit", Spec with { Queue = "narrow" });
        await pool.SubmitAsync("key", Spec with { SerialKey = "k" });
        await pool.RunAsync("fills");
        await pool.SubmitAsync("full");
        await pool.SubmitAsync("too-large", Spec with { Slots = 3 });
        await pool.SubmitAsync("larger-than-limit", Spec with { Queue = "narrow", Slots = 2 });

        Assert.Equal(WaitingReason.NotDue, await pool.ReasonOfAsync("not-due"));
        Assert.Equal(WaitingReason.Backoff, await pool.ReasonOfAsync("backoff"));
        Assert.Equal(WaitingReason.NoWorker, await pool.ReasonOfAsync("no-worker"));
        Assert.Equal(WaitingReason.QueueLimit, await pool.ReasonOfAsync("limit"));
        Assert.Equal(WaitingReason.QueueLimit, await pool.ReasonOfAsync("larger-than-limit"));
        Assert.Equal(WaitingReason.SerialKeyBusy, await pool.ReasonOfAsync("key"));
        Assert.Equal(WaitingReason.PoolFull, await pool.ReasonOfAsync("full"));
        Assert.Equal(WaitingReason.PoolFull, await pool.ReasonOfAsync("too-large"));
        Assert.Null(await pool.ReasonOfAsync("runs"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_position_in_a_queue_counts_from_one_in_the_order_of_starts()
    {
        await using TestPool pool = await StartAsync(options => options.Pool.Slots = 1);
        await pool.RunAsync("runs");
        for (int i = 0; i < 5; i++)
            await pool.SubmitAsync($"t{i}", Spec with { Priority = i == 4 ? 1 : 0 });

        string[] order = ["t4", "t0", "t1", "t2", "t3"];
        for (int i = 0; i < 5; i++)
            Assert.Equal(i + 1, (await pool.Pool.ViewAsync(await pool.FindAsync(order[i]), queuePosition: true)).QueuePosition);
        TaskView running = await pool.Pool.ViewAsync(await pool.FindAsync("runs"), queuePosition: true);
        Assert.Null(running.QueuePosition);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_position_is_counted_up_to_its_bound()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync([.. Enumerable.Range(0, 10_005).Select(i => New($"t{i}", Spec with { Kind = NobodysKind }))]);

        Assert.Equal(TaskPool.QueuePositionMax, (await pool.Pool.ViewAsync(await pool.FindAsync("t10004"), queuePosition: true)).QueuePosition);
    }
}
