using GrpcPool.Core.Execution;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

public sealed class SerialKeyTests
{
    private static readonly TaskSpec Serial = Spec with { SerialKey = "k" };

    [Fact(Timeout = TimeoutMs)]
    public async Task Tasks_of_one_key_run_one_at_a_time_in_line_across_queues_whatever_their_priority()
    {
        await using TestPool pool = await StartAsync();
        for (int i = 0; i < 6; i++)
            await pool.SubmitAsync($"t{i}", Serial with { Queue = i % 2 == 0 ? "even" : "odd", Priority = i });
        for (int i = 0; i < 6; i++)
        {
            TestRun run = await pool.Handler.StartedAsync($"t{i}");
            await pool.SettleAsync();
            Assert.Equal(1, pool.Handler.Running);
            run.Succeed();
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Tasks_of_one_batch_and_key_run_one_at_a_time()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync([New("a", Serial), New("b", Serial), New("other", Serial with { SerialKey = "l" })]);
        TestRun first = await pool.Handler.StartedAsync("a");
        await pool.Handler.StartedAsync("other");
        await pool.SettleAsync();
        Assert.Equal(2, pool.Handler.Running);
        first.Succeed();
        await pool.Handler.StartedAsync("b");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Those_who_wait_for_their_key_hold_no_slot()
    {
        await using TestPool pool = await StartAsync(options => options.Pool.Slots = 2);
        await pool.RunAsync("holder", Serial);
        for (int i = 0; i < 5; i++)
            await pool.SubmitAsync($"t{i}", Serial);

        await pool.RunAsync("free");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Whom_an_ending_makes_the_first_of_a_line_goes_before_lower_priorities()
    {
        await using TestPool pool = await StartAsync(options => options.Pool.Slots = 1);
        TestRun holder = await pool.RunAsync("holder", Serial);
        await pool.SubmitAsync("low");
        await pool.SubmitAsync("urgent", Serial with { Priority = 10 });
        holder.Succeed();
        (await pool.Handler.StartedAsync("urgent")).Succeed();
        await pool.Handler.StartedAsync("low");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_same_key_of_another_namespace_is_another_key()
    {
        await using TestPool pool = await StartAsync();
        await pool.RunAsync("holder", Serial);
        await pool.SubmitAsync(New("elsewhere", Serial, @namespace: "other"));
        await pool.Handler.StartedAsync("elsewhere");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_delayed_task_joins_the_line_when_it_becomes_due()
    {
        await using TestPool pool = await StartAsync();
        TestRun first = await pool.RunAsync("first", Serial);
        await pool.SubmitAsync("delayed", Serial, pool.Now.AddSeconds(5));
        await pool.SubmitAsync("second", Serial);
        pool.Time.Advance(TimeSpan.FromSeconds(5));
        await pool.WhenAsync("delayed", TaskState.Queued);
        first.Succeed();
        (await pool.Handler.StartedAsync("second")).Succeed();
        await pool.Handler.StartedAsync("delayed");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_task_keeps_its_place_while_it_waits_for_its_next_attempt()
    {
        await using TestPool pool = await StartAsync();
        TestRun first = await pool.RunAsync("first", Serial with { Retry = new RetryPolicy { MaxAttempts = 2, Jitter = 0 } });
        await pool.SubmitAsync("second", Serial);
        first.Fail();
        await pool.WhenAsync("first", TaskState.Retrying);
        await pool.SettleAsync();
        Assert.False(pool.Handler.HasStarted("second"));
        Assert.Equal(WaitingReason.SerialKeyBusy, await pool.ReasonOfAsync("second"));

        pool.Time.Advance(TimeSpan.FromSeconds(1));
        (await pool.Handler.StartedAsync("first")).Succeed();
        await pool.Handler.StartedAsync("second");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_retry_joins_at_the_tail()
    {
        await using TestPool pool = await StartAsync();
        (await pool.RunAsync("first", Serial)).Fail();
        await pool.WhenAsync("first", TaskState.Failed);
        TestRun second = await pool.RunAsync("second", Serial);
        await pool.SubmitAsync("third", Serial);
        await pool.Pool.RetryAsync(Id("first"));
        second.Succeed();
        (await pool.Handler.StartedAsync("third")).Succeed();
        await pool.Handler.StartedAsync("first");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_handler_that_ignores_its_stop_keeps_slot_and_key_until_it_returns()
    {
        await using TestPool pool = await StartAsync(options => options.Pool.Slots = 2);
        TestRun stubborn = await pool.RunAsync("stubborn", Stubborn with { SerialKey = "k" });
        await pool.SubmitAsync("next", Serial);
        await pool.CancelAsync("stubborn", TimeSpan.FromSeconds(2));
        pool.Time.Advance(TimeSpan.FromSeconds(2));
        await stubborn.Killed;
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        await pool.WhenAsync("stubborn", TaskState.Cancelled);
        await pool.SettleAsync();
        Assert.False(pool.Handler.HasStarted("next"));
        Assert.Equal(WaitingReason.SerialKeyBusy, await pool.ReasonOfAsync("next"));
        await pool.RunAsync("other");
        Assert.Equal(WaitingReason.PoolFull, await ReasonOfAnotherAsync(pool));

        stubborn.Succeed();
        await pool.Handler.StartedAsync("next");
        Assert.Equal(TaskState.Cancelled, await pool.StateOfAsync("stubborn"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_newcomer_does_not_start_while_a_given_up_handler_holds_its_key()
    {
        await using TestPool pool = await StartAsync();
        TestRun stubborn = await pool.RunAsync("stubborn", Stubborn with { SerialKey = "k" });
        await pool.CancelAsync("stubborn", TimeSpan.Zero);
        await pool.AdvanceUntilAsync(pool.WhenAsync("stubborn", TaskState.Cancelled));
        await pool.SubmitAsync("next", Serial);
        await pool.SettleAsync();
        Assert.False(pool.Handler.HasStarted("next"));

        stubborn.Succeed();
        await pool.Handler.StartedAsync("next");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_task_that_ends_in_the_moment_it_is_first_in_line_is_in_nobodys_way()
    {
        await using TestPool pool = await StartAsync(options => options.Pool.Slots = 4);
        TestRun holder = await pool.RunAsync("holder", Serial);
        await pool.RunAsync("neighbour");
        await pool.SubmitAsync("big", Serial with { Slots = 4 });
        pool.Store.Hold();
        Task<SubmitResult> holding = pool.SubmitAsync("later", runAt: pool.Now.AddDays(1));
        await pool.Store.WhenHeldAsync();
        Task ended = pool.WhenAsync("holder", TaskState.Succeeded);
        holder.Succeed();
        while (pool.Handler.Running > 1)
            await Task.Yield();
        Task cancelling = pool.CancelAsync("big");
        pool.Store.Release();
        await Task.WhenAll(ended, cancelling, holding);

        await pool.RunAsync("small");
    }

    private static async Task<WaitingReason?> ReasonOfAnotherAsync(TestPool pool)
    {
        await pool.SubmitAsync("another");
        return await pool.ReasonOfAsync("another");
    }
}
