using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Execution;
using GrpcPool.Core.Workers;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Workers;

public class LeaseTests
{
    private static readonly TaskSpec Spec = TestWorker.Spec with { Retry = new RetryPolicy { InitialBackoff = TimeSpan.Zero } };

    [Fact(Timeout = TimeoutMs)]
    public async Task A_lease_that_nobody_renews_is_lost_and_the_late_finisher_is_refused()
    {
        await using TestPool pool = await StartAsync();
        TestWorker frozen = await TestWorker.ConnectAsync(pool, credit: 1);
        await pool.SubmitAsync("t", Spec);
        Assignment stale = await frozen.AssignmentAsync();
        TestWorker other = await TestWorker.ConnectAsync(pool);
        Task<TaskRecord> lost = pool.WhenAsync("t", TaskState.Retrying);

        pool.Time.Advance(pool.Options.Workers.LeaseDuration - TimeSpan.FromSeconds(1));
        other.Beat();
        await pool.SettleAsync();
        Assert.False(lost.IsCompleted);
        pool.Time.Advance(pool.Options.Workers.HeartbeatInterval);
        await lost;

        await frozen.SucceedAsync(stale, "stale");
        await other.SucceedAsync(await WokenAsync(pool, other.AssignmentAsync()), "fresh");
        TaskRecord ended = await pool.WhenAsync("t", TaskState.Succeeded);
        Assert.Equal(("fresh", 1, 1), (System.Text.Encoding.UTF8.GetString(ended.Result.Span), ended.Losses, ended.Attempt));
        Assert.Equal(1, pool.Pool.Metrics.Fences);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_worker_that_was_not_heard_is_ended()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool);

        pool.Time.Advance(pool.Options.Workers.LeaseDuration + TimeSpan.FromSeconds(1));

        Assert.True(worker.Stream.Ended.IsCancellationRequested);
        Assert.Equal(WorkerFault.Silent, worker.Stream.Reason!.Fault);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_heartbeat_renews_what_it_names_and_takes_back_what_was_received_and_is_not_named()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool);
        await pool.SubmitAsync("kept", Spec);
        Assignment kept = await worker.AssignmentAsync();
        await pool.SubmitAsync("dropped", Spec with { Retry = Spec.Retry with { MaxLosses = 0 } });
        await worker.AssignmentAsync();

        for (int i = 0; i < 20; i++)
        {
            worker.Beat(kept);
            pool.Time.Advance(pool.Options.Workers.LeaseDuration / 2);
        }

        Assert.Equal(TaskState.Failed, (await pool.WhenAsync("dropped", TaskState.Failed)).State);
        Assert.Equal(TaskState.Running, await pool.StateOfAsync("kept"));
        Assert.Equal("dropped", Assert.Single((await worker.MailAsync(static mail => mail.Lost.Count > 0)).Lost).TaskId);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_heartbeat_takes_nothing_back_that_may_still_be_on_its_way()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool);
        await pool.SubmitAsync("t", Spec);
        await worker.MailAsync(static mail => mail.Assignments.Count > 0); // Sent, but not received.

        worker.Beat();
        await pool.SettleAsync();

        Assert.Equal(TaskState.Running, await pool.StateOfAsync("t"));
        Assert.Equal(WorkerFault.Protocol, Assert.Throws<WorkerException>(() => worker.Session.Heartbeat(received: 7, [])).Fault);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_worker_that_comes_back_within_the_grace_keeps_its_leases()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool);
        await pool.SubmitAsync("t", Spec);
        Assignment held = await worker.AssignmentAsync();

        worker.Break();
        pool.Time.Advance(pool.Options.Workers.ResumeGrace / 2);
        Assert.True(await worker.ResumeAsync());
        worker.Beat(held);
        pool.Time.Advance(pool.Options.Workers.ResumeGrace * 2);
        await worker.SucceedAsync(held);

        Assert.Equal(0, (await pool.WhenAsync("t", TaskState.Succeeded)).Losses);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_worker_that_does_not_come_back_loses_its_leases_after_the_grace()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool);
        await pool.SubmitAsync("t", Spec);
        Assignment held = await worker.AssignmentAsync();
        TestWorker other = await TestWorker.ConnectAsync(pool);
        Task<TaskRecord> lost = pool.WhenAsync("t", TaskState.Retrying);

        worker.Break();
        pool.Time.Advance(pool.Options.Workers.ResumeGrace - TimeSpan.FromSeconds(1));
        await pool.SettleAsync();
        Assert.False(lost.IsCompleted);
        pool.Time.Advance(TimeSpan.FromSeconds(3));
        await lost;

        await WokenAsync(pool, other.AssignmentAsync());
        Assert.False(await worker.ResumeAsync());
        await worker.SendAsync(1, held, TaskOutcome.Succeeded("stale"u8.ToArray()));
        Assert.Equal("t", Assert.Single((await worker.MailAsync(static mail => mail.Lost.Count > 0)).Lost).TaskId);
        Assert.Equal(TaskState.Running, await pool.StateOfAsync("t"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_was_lost_on_its_way_runs_elsewhere_after_the_resume_and_uses_neither_attempt_nor_loss()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool);
        await pool.SubmitAsync("t", Spec);
        await worker.MailAsync(static mail => mail.Assignments.Count > 0);

        worker.Break();
        await worker.ResumeAsync();
        worker.Beat();

        TaskRecord released = await pool.WhenAsync("t", TaskState.Queued);
        Assert.Equal((0, 0), (released.Failures, released.Losses));
        worker.Session.AddCredit(1);
        Assert.Equal("t", (await worker.AssignmentAsync()).Id.Value);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_second_stream_of_a_worker_ends_the_first()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool);
        WorkerStream first = worker.Stream;

        Assert.True(await worker.ResumeAsync());

        Assert.Equal(WorkerFault.Replaced, first.Reason!.Fault);
        await Assert.ThrowsAsync<WorkerException>(() => worker.ResumeAsync(TestWorker.Hello(slots: 9)));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Leases_of_others_and_guessed_tokens_are_refused()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool);
        await pool.SubmitAsync("t", Spec);
        Assignment held = await worker.AssignmentAsync();
        TestWorker liar = await TestWorker.ConnectAsync(pool, credit: 0);

        await liar.SucceedAsync(held);
        await liar.Session.ReportAsync(2, [new LeaseReport("t", 1, held.Token with { Nonce = held.Token.Nonce + 1 }) { Outcome = TaskOutcome.Succeeded() }]);
        liar.Session.Heartbeat(0, [held.Token, null]);

        Assert.Equal(4, (await liar.MailAsync(static mail => mail.Lost.Count > 0)).Lost.Count);
        Assert.Equal(TaskState.Running, await pool.StateOfAsync("t"));
        await worker.SucceedAsync(held);
        await pool.WhenAsync("t", TaskState.Succeeded);
    }

    /// <summary>Lets just enough time pass for what is due already.</summary>
    private static async Task<T> WokenAsync<T>(TestPool pool, Task<T> happens)
    {
        while (!happens.IsCompleted)
        {
            pool.Time.Advance(TimeSpan.FromMilliseconds(1));
            await pool.SettleAsync();
        }

        return await happens;
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_run_timeout_stops_a_worker_as_it_stops_a_handler()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool);
        await pool.SubmitAsync("t", Spec with { RunTimeout = TimeSpan.FromSeconds(5) });
        Assignment held = await worker.AssignmentAsync();

        pool.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Single((await worker.MailAsync(static mail => mail.Stops.Count > 0)).Stops);
        await worker.ReportAsync(held, TaskOutcome.Failed("stopped"));

        Assert.Equal(FailureCode.Timeout, (await pool.WhenAsync("t", TaskState.Failed)).Failure!.Code);
    }
}
