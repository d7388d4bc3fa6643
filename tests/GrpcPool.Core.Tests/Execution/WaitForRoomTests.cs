using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

public sealed class WaitForRoomTests
{
    private static readonly TaskSpec Waiting = Spec with { Kind = NobodysKind };

    [Fact(Timeout = TimeoutMs)]
    public async Task Submissions_wait_for_room_and_come_in_in_the_order_they_came()
    {
        await using TestPool pool = await StartWithCapacityAsync(1);
        await pool.SubmitAsync("t0", Waiting);
        var waiting = new List<Task<SubmitResult>>();
        for (int i = 1; i < 20; i++)
        {
            waiting.Add(pool.SubmitAsync($"t{i}", Waiting));
            await pool.SettleAsync();
        }

        for (int i = 1; i < 20; i++)
        {
            Assert.False(waiting[i - 1].IsCompleted);
            await pool.CancelAsync($"t{i - 1}");
            Assert.Equal(SubmitVerdict.Created, (await waiting[i - 1]).Verdict);
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_newcomer_does_not_overtake_those_who_wait()
    {
        await using TestPool pool = await StartWithCapacityAsync(1);
        await pool.SubmitAsync("full", Waiting);
        Task<SubmitResult> first = pool.SubmitAsync("first");
        await pool.SettleAsync();
        Task<SubmitResult> second = pool.SubmitAsync("second");
        await pool.SettleAsync();
        pool.Store.Hold();
        Task<CommandOutcome> cancelling = pool.CancelAsync("full");
        await pool.Store.WhenHeldAsync();
        Task<SubmitResult> third = pool.SubmitAsync("third");
        pool.Store.Release();
        await Task.WhenAll(cancelling, first, second, third);

        Assert.Equal(
            ["first", "second", "third"],
            pool.Store.Changes.Where(change => change.Before is null && change.Task.Id.Value != "full").Select(change => change.Task.Id.Value));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Who_leaves_the_line_is_not_submitted()
    {
        await using TestPool pool = await StartWithCapacityAsync(1);
        await pool.SubmitAsync("full", Waiting);
        using var leaving = new CancellationTokenSource();
        Task<SubmitResult> left = pool.Pool.SubmitAsync(New("left", Waiting), leaving.Token);
        await pool.SettleAsync();
        Task<SubmitResult> next = pool.SubmitAsync("next", Waiting);
        await pool.SettleAsync();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        await pool.CancelAsync("full");

        Assert.Equal(SubmitVerdict.Created, (await next).Verdict);
        Assert.Null(await pool.Pool.FindAsync(Id("left")));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Who_left_before_joining_the_line_is_forgotten()
    {
        await using TestPool pool = await StartWithCapacityAsync(1);
        await pool.SubmitAsync("full", Waiting);
        using var leaving = new CancellationTokenSource();
        pool.Store.Hold();
        Task<CommandOutcome> holding = pool.Pool.RetryAsync(Id("full"));
        await pool.Store.WhenHeldAsync();
        Task<SubmitResult> left = pool.Pool.SubmitAsync(New("left", Waiting), leaving.Token);
        await leaving.CancelAsync();
        pool.Store.Release();
        await holding;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        await pool.SettleAsync();
        await pool.CancelAsync("full");
        await pool.SettleAsync();

        Assert.Null(await pool.Pool.FindAsync(Id("left")));
        Assert.Equal(SubmitVerdict.Created, (await pool.SubmitAsync("next", Waiting)).Verdict);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Only_so_many_wait()
    {
        await using TestPool pool = await StartWithCapacityAsync(1, waiters: 2);
        await pool.SubmitAsync("full", Waiting);
        Task<SubmitResult>[] waiting = [pool.SubmitAsync("a", Waiting), pool.SubmitAsync("b", Waiting)];
        await pool.SettleAsync();

        Assert.Equal(SubmitVerdict.TooManyWaiters, (await pool.SubmitAsync("c", Waiting)).Verdict);
        Assert.DoesNotContain(waiting, task => task.IsCompleted);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_stream_stops_before_the_first_item_that_would_wait()
    {
        await using TestPool pool = await StartWithCapacityAsync(2);
        SubmitResult[] results = await pool.SubmitAsync([.. Enumerable.Range(0, 4).Select(i => New($"t{i}", Waiting))], whenFull: WhenFull.StopBeforeWaiting);

        Assert.Equal([SubmitVerdict.Created, SubmitVerdict.Created, SubmitVerdict.NotTried, SubmitVerdict.NotTried], results.Select(result => result.Verdict));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_drain_sends_away_who_waits_and_who_comes_to_wait()
    {
        TestPool pool = await StartWithCapacityAsync(1);
        await pool.SubmitAsync("full", Waiting);
        Task<SubmitResult> waits = pool.SubmitAsync("waits", Waiting);
        await pool.SettleAsync();
        pool.Store.Hold();
        Task<CommandOutcome> holding = pool.Pool.RetryAsync(Id("full"));
        await pool.Store.WhenHeldAsync();
        Task<SubmitResult> comes = pool.SubmitAsync("comes", Waiting);
        Task drain = pool.Pool.DrainAsync();
        pool.Store.Release();
        await holding;

        Assert.Equal(SubmitVerdict.Draining, (await waits).Verdict);
        Assert.Equal(SubmitVerdict.Draining, (await comes).Verdict);
        await drain;
        Assert.Equal(SubmitVerdict.Draining, (await pool.SubmitAsync("late", Waiting)).Verdict);
        await pool.DisposeAsync();
    }

    private static Task<TestPool> StartWithCapacityAsync(int capacity, int waiters = 100) => StartAsync(options =>
    {
        options.Queues["default"].Capacity = capacity;
        options.Queues["default"].WhenFull = FullPolicy.Wait;
        options.Limits.Waiters = waiters;
    });
}
