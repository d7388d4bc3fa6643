using GrpcPool.Core.Hosting;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

public sealed class RateLimitTests
{
    [Fact(Timeout = TimeoutMs)]
    public async Task A_queue_starts_as_many_as_it_has_tokens_and_goes_on_when_they_come_back()
    {
        await using TestPool pool = await StartAsync(static options => Limit(options.Queues["default"].Rate, tokens: 2, seconds: 10));
        pool.Handler.SucceedAtOnce();
        for (int i = 0; i < 5; i++)
            await pool.SubmitAsync($"t{i}");

        await pool.WhenAllAsync(["t0", "t1"], TaskState.Succeeded);
        Assert.Equal(WaitingReason.RateLimited, await pool.ReasonOfAsync("t2"));
        Assert.Equal(["t0", "t1"], pool.Store.Starts);

        pool.Time.Advance(TimeSpan.FromSeconds(5));
        await pool.WhenAsync("t2", TaskState.Succeeded);
        await pool.SettleAsync();
        Assert.Equal(["t0", "t1", "t2"], pool.Store.Starts);

        pool.Time.Advance(TimeSpan.FromSeconds(10));
        await pool.WhenAllAsync(["t3", "t4"], TaskState.Succeeded);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_newcomer_does_not_take_the_token_of_those_that_wait()
    {
        await using TestPool pool = await StartAsync(static options => Limit(options.Queues["default"].Rate, tokens: 1, seconds: 1));
        pool.Handler.SucceedAtOnce();
        await pool.SubmitAsync("first");
        await pool.SubmitAsync("second");
        await pool.SettleAsync();
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        await pool.SubmitAsync("third");
        await pool.WhenAsync("second", TaskState.Succeeded);
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        await pool.WhenAsync("third", TaskState.Succeeded);

        Assert.Equal(["first", "second", "third"], pool.Store.Starts);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_kinds_rate_holds_in_all_queues_together_and_is_in_nobody_elses_way()
    {
        await using TestPool pool = await StartAsync(static options => options.Kinds[Kind] = new KindOptions { Rate = { Tokens = 1, Per = TimeSpan.FromSeconds(1) } });
        pool.Handler.SucceedAtOnce();
        await pool.SubmitAsync("a", Spec with { Queue = "one" });
        await pool.SubmitAsync("b", Spec with { Queue = "two" });
        await pool.SubmitAsync("other", Spec with { Queue = "two", Kind = OtherKind });
        await pool.WhenAllAsync(["a", "other"], TaskState.Succeeded);
        Assert.Equal(WaitingReason.RateLimited, await pool.ReasonOfAsync("b"));

        pool.Time.Advance(TimeSpan.FromSeconds(1));
        await pool.WhenAsync("b", TaskState.Succeeded);
        Assert.Equal(["a", "other", "b"], pool.Store.Starts);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Each_namespace_has_tokens_of_its_own()
    {
        await using TestPool pool = await StartAsync(static options => Limit(options.Queues["default"].Rate, tokens: 1, seconds: 1));
        pool.Handler.SucceedAtOnce();
        await pool.SubmitAsync(New("mine", @namespace: "one"));
        await pool.SubmitAsync(New("yours", @namespace: "two"));
        await pool.WhenAllAsync(["mine", "yours"], TaskState.Succeeded);
    }

    private static void Limit(RateOptions rate, int tokens, int seconds) => (rate.Tokens, rate.Per) = (tokens, TimeSpan.FromSeconds(seconds));
}
