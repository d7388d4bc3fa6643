using GrpcPool.Core.Administration;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Execution;
using GrpcPool.Core.Tests.Workers;
using GrpcPool.Core.Workers;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Administration;

public sealed class OperatorTests
{
    [Fact(Timeout = TimeoutMs)]
    public async Task Every_change_is_told_to_the_log_with_who_made_it()
    {
        await using TestPool pool = await StartAsync();
        await pool.Admin.ResizeAsync(4, "me");
        await pool.Admin.UpdateAsync(new QueueUpdate("mail") { Limit = 2, Weight = 3 }, "you");
        await pool.Admin.UpdateAsync(new QueueUpdate("mail") { Paused = true }, "me");
        await pool.Admin.UpdateAsync(new QueueUpdate("mail") { Paused = true }, "me");
        await pool.Admin.PurgeAsync("default", "mail", "", dryRun: false, "me", TestContext.Current.CancellationToken);
        pool.Admin.DrainWorker("default", "nobody", "me");
        await pool.Admin.DrainAsync("me");

        Assert.Equal(
            [
                "Information: Operator at me: the pool's slots: 16 -> 4 (done)",
                "Information: Operator at you: queue mail: capacity 100000, Reject, limit none, weight 1 -> capacity 100000, Reject, limit 2, weight 3 (done)",
                "Information: Operator at me: queue mail: capacity 100000, Reject, limit 2, weight 3 -> capacity 100000, Reject, limit 2, weight 3, paused (done)",
                "Information: Operator at me: queue mail: capacity 100000, Reject, limit 2, weight 3, paused -> capacity 100000, Reject, limit 2, weight 3, paused (no change)",
                "Information: Operator at me: purge of queue mail in namespace default: waiting -> 0 tasks cancelled (done)",
                "Information: Operator at me: worker nobody:  -> draining (no such worker)",
                "Information: Operator at me: the pool: open -> draining (done)",
            ],
            pool.Audit.Lines);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_could_not_be_stored_is_not_in_force_and_is_told_as_failed()
    {
        await using TestPool pool = await StartAsync();
        pool.ErrorsExpected = true;
        await pool.SettleAsync();
        pool.Store.FailCommits(1);
        Task<Exception> failing = Assert.ThrowsAnyAsync<Exception>(() => pool.Admin.ResizeAsync(4, "me"));
        await pool.AdvanceUntilAsync(failing);
        Exception fault = await failing;

        Assert.Equal(16, pool.Pool.Settings.Slots);
        Assert.Equal($"Information: Operator at me: the pool's slots: 16 -> Pool:Slots = 4 (failed: {fault.Message})", Assert.Single(pool.Audit.Lines));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_change_to_what_the_settings_say_is_none_any_more()
    {
        await using TestPool pool = await StartAsync(static options => options.Queues["mail"] = new QueueOptions { Limit = 2 });
        await pool.Admin.ResizeAsync(4, "me");
        await pool.Admin.UpdateAsync(new QueueUpdate("mail") { Limit = 0, Capacity = 7, Paused = true }, "me");
        Assert.Equal((4, null, 7, true), (pool.Pool.Settings.Slots, pool.Pool.Settings.Queue("mail").Limit, pool.Pool.Settings.Queue("mail").Capacity, pool.Pool.Settings.Queue("mail").Paused));
        Assert.Equal(4, pool.Pool.Settings.Changes.Count);

        await pool.Admin.ResizeAsync(16, "me");
        await pool.Admin.UpdateAsync(new QueueUpdate("mail") { Limit = 2 }, "me");
        Assert.Equal(2, pool.Pool.Settings.Changes.Count);

        await pool.Admin.UpdateAsync(new QueueUpdate("mail") { Reset = true, Weight = 5 }, "me");
        Assert.Equal(new QueueRules(100_000, FullPolicy.Reject, 2, 5, Paused: true), pool.Pool.Settings.Queue("mail"));
        await pool.Admin.UpdateAsync(new QueueUpdate("mail") { Reset = true, Paused = false }, "me");
        Assert.Empty(pool.Pool.Settings.Changes);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task No_more_queues_are_changed_than_there_may_be()
    {
        await using TestPool pool = await StartAsync(static options => options.Limits.Queues = 2);
        foreach (string queue in (string[])["a", "b"])
            Assert.NotNull(await pool.Admin.UpdateAsync(new QueueUpdate(queue) { Weight = 2 }, "me"));
        Assert.Null(await pool.Admin.UpdateAsync(new QueueUpdate("c") { Weight = 2 }, "me"));
        Assert.NotNull(await pool.Admin.UpdateAsync(new QueueUpdate("a") { Weight = 3 }, "me"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_pool_that_is_drained_takes_and_starts_nothing_finishes_what_runs_and_still_answers()
    {
        await using TestPool pool = await StartAsync(static options => options.Pool.Slots = 1);
        TestRun run = await pool.RunAsync("runs");
        await pool.SubmitAsync("waits");
        await pool.Admin.DrainAsync("me");
        pool.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(SubmitVerdict.Draining, (await pool.SubmitAsync("late")).Verdict);
        Assert.Equal("the pool is Draining", pool.Pool.NotReady);
        Assert.False(run.Stopped.IsCompleted);
        Task<TaskRecord?> end = pool.Pool.WaitAsync(Id("runs"), TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        run.Succeed();
        Assert.Equal(TaskState.Succeeded, (await end)!.State);
        Assert.Equal(WaitingReason.Draining, await pool.ReasonOfAsync("waits"));
        Assert.Equal(TaskState.Cancelled, (await pool.CancelAsync("waits")).Task!.State);
        Assert.Equal(PoolPhase.Draining, pool.Pool.Phase);

        await pool.Pool.DrainAsync();
        Assert.Equal(PoolPhase.Closed, pool.Pool.Phase);
        Assert.Equal(["runs"], pool.Store.Starts);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task One_worker_is_told_to_leave_and_gets_nothing_more()
    {
        await using TestPool pool = await StartAsync();
        TestWorker leaving = await TestWorker.ConnectAsync(pool), staying = await TestWorker.ConnectAsync(pool, credit: 0);
        await pool.SubmitAsync("a", TestWorker.Spec);
        Assignment held = await leaving.AssignmentAsync();
        Assert.True(pool.Admin.DrainWorker("default", leaving.Session.Id, "me")!.Draining);
        Assert.Null(pool.Admin.DrainWorker("other", staying.Session.Id, "me"));
        Assert.True((await leaving.MailAsync()).Drain);
        leaving.Session.AddCredit(4);
        await pool.SubmitAsync("b", TestWorker.Spec);
        staying.Session.AddCredit(1);
        Assert.Equal("b", (await staying.AssignmentAsync()).Id.Value);

        await leaving.SucceedAsync(held);
        await pool.WhenAsync("a", TaskState.Succeeded);
        await leaving.ResumeAsync();
        Assert.True((await leaving.MailAsync(static mail => mail.Drain)).Drain);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Workers_are_listed_with_what_they_hold_and_when_they_were_heard()
    {
        await using TestPool pool = await StartAsync();
        DateTimeOffset came = pool.Now;
        TestWorker worker = await TestWorker.ConnectAsync(pool, slots: 3);
        await TestWorker.ConnectAsync(pool, @namespace: "other");
        await pool.SubmitAsync("a", TestWorker.Spec with { Slots = 2 });
        Assignment held = await worker.AssignmentAsync();
        pool.Time.Advance(TimeSpan.FromSeconds(3));
        worker.Beat(held);
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        WorkerState listed = Assert.Single(pool.Pool.Workers.List("default"));
        Assert.Equal((worker.Session.Id, "w", 3, 2, came, came.AddSeconds(3), true, false), (listed.Id, listed.Hello.Name, listed.Hello.Slots, listed.SlotsUsed, listed.Since, listed.HeardAt, listed.Connected, listed.Draining));

        worker.Session.Drain();
        worker.Break();
        listed = Assert.Single(pool.Pool.Workers.List("default"));
        Assert.Equal((false, true), (listed.Connected, listed.Draining));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_reading_counts_by_queue_within_a_namespace_and_what_has_passed()
    {
        await using TestPool pool = await StartAsync(static options => options.Pool.Slots = 2);
        TestRun wide = await pool.RunAsync("wide", Spec with { Queue = "mail", Slots = 2 });
        await pool.SubmitAsync([New("a"), New("b", Spec with { Queue = "mail" }), New("c", Spec with { Queue = "mail" }), New("theirs", Spec with { Queue = "mail", Kind = NobodysKind }, @namespace: "other")]);
        await pool.SubmitAsync("later", Spec with { Queue = "mail" }, pool.Now.AddDays(1));
        wide.Fail();
        await pool.WhenAsync("wide", TaskState.Failed);
        await pool.SettleAsync();
        var reading = PoolReading.Of(pool.Pool, "default");

        QueueReading mail = reading.Queues.Single(static queue => queue.Count.Queue == "mail");
        Assert.Equal(["default", "mail"], reading.Queues.Select(static queue => queue.Count.Queue));
        Assert.Equal((2, 2, 2L, 3L), (reading.Slots, reading.SlotsUsed, reading.Running, reading.Waiting));
        Assert.Equal((1L, 1L, 1L), (mail.Count.Scheduled, mail.Count.Queued, mail.Count.Running));
        Assert.Equal((new Passage(4, 2, 1, 1), 1), (mail.Count.Passed, mail.SlotsUsed));
    }
}
