using GrpcPool.Core.Administration;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Execution;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Administration;

public sealed class QueueTests
{
    private static readonly TaskSpec Mail = Spec with { Queue = "mail" };

    [Fact(Timeout = TimeoutMs)]
    public async Task Pausing_stops_starts_at_once_and_resuming_goes_on_in_order()
    {
        await using TestPool pool = await StartAsync(static options => options.Pool.Slots = 2);
        TestRun runs = await pool.RunAsync("runs", Mail);
        await PauseAsync(pool, true);
        await pool.SubmitAsync([New("low", Mail), New("high", Mail with { Priority = 5 }), New("later", Mail)]);
        await pool.RunAsync("elsewhere");
        runs.Succeed();
        await pool.WhenAsync("runs", TaskState.Succeeded);
        Assert.Equal(WaitingReason.QueuePaused, await pool.ReasonOfAsync("high"));
        Assert.Equal(["runs", "elsewhere"], pool.Store.Starts);

        await PauseAsync(pool, false);
        pool.Handler.LetGo();
        await pool.WhenAsync("later", TaskState.Succeeded);
        Assert.Equal(["runs", "elsewhere", "high", "low", "later"], pool.Store.Starts);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_task_that_reserved_slots_gives_them_up_when_its_queue_is_paused()
    {
        await using TestPool pool = await StartAsync(static options => options.Pool.Slots = 2);
        TestRun first = await pool.RunAsync("first");
        await pool.SubmitAsync("big", Mail with { Slots = 2 });
        await pool.SubmitAsync("small");
        await pool.SettleAsync();
        Assert.False(pool.Handler.HasStarted("small"));

        await PauseAsync(pool, true);
        TestRun small = await pool.Handler.StartedAsync("small");
        first.Succeed();
        small.Succeed();
        await PauseAsync(pool, false);
        await pool.Handler.StartedAsync("big");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_pause_holds_for_a_queue_in_every_namespace_and_before_it_has_tasks()
    {
        await using TestPool pool = await StartAsync();
        await PauseAsync(pool, true);
        await pool.SubmitAsync(New("theirs", Mail, @namespace: "other"));
        await pool.SettleAsync();

        Assert.Empty(pool.Store.Starts);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_new_limit_holds_for_what_starts_from_now_on()
    {
        await using TestPool pool = await StartAsync(static options => options.Queues["mail"] = new QueueOptions { Limit = 2 });
        await pool.SubmitAsync([New("a", Mail), New("b", Mail), New("c", Mail), New("wide", Mail with { Slots = 3 }), New("d", Mail)]);
        TestRun a = await pool.Handler.StartedAsync("a");
        TestRun b = await pool.Handler.StartedAsync("b");
        await pool.Admin.UpdateAsync(new QueueUpdate("mail") { Limit = 1 }, "me");
        a.Succeed();
        await pool.WhenAsync("a", TaskState.Succeeded);
        Assert.Equal(WaitingReason.QueueLimit, await pool.ReasonOfAsync("c"));
        Assert.False(b.Stopped.IsCompleted);

        // What was too large for the old limit has a place in the line again.
        await pool.Admin.UpdateAsync(new QueueUpdate("mail") { Limit = 5 }, "me");
        await pool.Handler.StartedAsync("c");
        await pool.Handler.StartedAsync("wide");
        await pool.SettleAsync();
        Assert.False(pool.Handler.HasStarted("d"));

        await pool.Admin.UpdateAsync(new QueueUpdate("mail") { Limit = 0 }, "me");
        await pool.Handler.StartedAsync("d");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_new_weight_is_the_share_of_the_starts_from_now_on()
    {
        await using TestPool pool = await StartAsync(static options => options.Pool.Slots = 1);
        TestRun first = await pool.RunAsync("first", Spec with { Queue = "neither" });
        string[] mail = [.. Enumerable.Range(0, 40).Select(static i => $"mail{i}")];
        await pool.SubmitAsync([.. mail.Select(static id => New(id, Mail)), .. Enumerable.Range(0, 40).Select(static i => New($"other{i}"))]);
        await pool.Admin.UpdateAsync(new QueueUpdate("mail") { Weight = 3 }, "me");
        Task allEnded = pool.WhenAllAsync(mail, TaskState.Succeeded);
        pool.Handler.LetGo();
        first.Succeed();
        await allEnded;

        Assert.InRange(pool.Store.Starts.Skip(1).Take(40).Count(static id => id.StartsWith("mail", StringComparison.Ordinal)), 29, 31);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_raised_capacity_lets_in_who_waits_for_room()
    {
        await using TestPool pool = await StartAsync(static options => options.Queues["mail"] = new QueueOptions { Capacity = 1, WhenFull = FullPolicy.Wait });
        TaskSpec waiting = Mail with { Kind = NobodysKind };
        await pool.SubmitAsync("a", waiting);
        Task<SubmitResult> second = pool.SubmitAsync("b", waiting), third = pool.SubmitAsync("c", waiting), fourth = pool.SubmitAsync("d", waiting);
        await pool.SettleAsync();
        Assert.False(second.IsCompleted);
        await pool.Admin.UpdateAsync(new QueueUpdate("mail") { Capacity = 3 }, "me");

        Assert.Equal((SubmitVerdict.Created, SubmitVerdict.Created), ((await second).Verdict, (await third).Verdict));
        await pool.SettleAsync();
        Assert.False(fourth.IsCompleted);
        await pool.CancelAsync("a");
        await fourth;
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_lowered_capacity_drops_nothing_and_another_policy_holds_for_the_next()
    {
        await using TestPool pool = await StartAsync();
        TaskSpec waiting = Mail with { Kind = NobodysKind };
        await pool.SubmitAsync([New("a", waiting), New("b", waiting), New("c", waiting)]);
        await pool.Admin.UpdateAsync(new QueueUpdate("mail") { Capacity = 1 }, "me");
        Assert.Equal(SubmitVerdict.QueueFull, (await pool.SubmitAsync("d", waiting)).Verdict);
        Assert.Equal(TaskState.Queued, await pool.StateOfAsync("a"));

        await pool.Admin.UpdateAsync(new QueueUpdate("mail") { WhenFull = FullPolicy.DiscardOldest }, "me");
        Assert.Equal(SubmitVerdict.Created, (await pool.SubmitAsync("d", waiting)).Verdict);
        Assert.Equal(TaskState.Cancelled, await pool.StateOfAsync("a"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_purge_cancels_what_waits_of_one_namespace_and_leaves_what_runs()
    {
        await using TestPool pool = await StartAsync(static options => options.Pool.Slots = 1);
        TestRun run = await pool.RunAsync("runs", Mail);
        await pool.SubmitAsync([.. Enumerable.Range(0, 2500).Select(static i => New($"t{i}", Mail))]);
        await pool.SubmitAsync("later", Mail, pool.Now.AddDays(1));
        await pool.SubmitAsync([New("theirs", Mail, @namespace: "other"), New("elsewhere")]);
        Assert.Equal(2501, await PurgeAsync(pool, dryRun: true));
        Assert.Equal(TaskState.Queued, await pool.StateOfAsync("t7"));

        Assert.Equal(2501, await PurgeAsync(pool));
        TaskRecord purged = await pool.FindAsync("t2499");
        Assert.Equal((TaskState.Cancelled, "because"), (purged.State, purged.Cancellation!.Reason));
        Assert.Equal((TaskState.Cancelled, TaskState.Queued), (await pool.StateOfAsync("later"), await pool.StateOfAsync("elsewhere")));
        Assert.Equal(TaskState.Queued, (await pool.Pool.FindAsync(Id("theirs", "other")))!.State);
        Assert.False(run.Stopped.IsCompleted);
        Assert.Null((await pool.FindAsync("runs")).Cancellation);
    }

    private static Task<QueueRules?> PauseAsync(TestPool pool, bool paused) => pool.Admin.UpdateAsync(new QueueUpdate("mail") { Paused = paused }, "me");

    private static Task<long> PurgeAsync(TestPool pool, bool dryRun = false) =>
        pool.Admin.PurgeAsync("default", "mail", "because", dryRun, "me", TestContext.Current.CancellationToken);
}
