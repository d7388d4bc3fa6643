using GrpcPool.Core.Execution;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Execution;
using GrpcPool.Core.Workers;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Workers;

public class WorkerSessionTests
{
    [Fact(Timeout = TimeoutMs)]
    public async Task A_task_goes_to_a_worker_that_declares_its_kind_and_ends_as_it_reports()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool);

        await pool.SubmitAsync("t", TestWorker.Spec);
        Assignment assignment = await worker.AssignmentAsync();
        TaskRecord running = await pool.FindAsync("t");
        long sequence = await worker.SucceedAsync(assignment, "done");

        WorkerMail mail = await worker.MailAsync(static mail => mail.Accepted is not null);
        TaskRecord ended = await pool.FindAsync("t");
        Assert.Equal((TaskState.Running, "w", 1), (running.State, running.Worker, running.Attempt));
        Assert.Equal(sequence, mail.Accepted);
        Assert.Equal((TaskState.Succeeded, "done"), (ended.State, System.Text.Encoding.UTF8.GetString(ended.Result.Span)));
        Assert.Equal(2, ended.Version);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_declared_kind_stays_known_and_its_tasks_wait_for_a_worker()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool, kinds: ["other"]);
        worker.Session.Leave();
        worker.Break();

        await pool.SubmitAsync("t", Spec with { Kind = "other" });

        Assert.True(pool.Pool.Knows("default", "other"));
        Assert.False(pool.Pool.Knows("default", NobodysKind));
        Assert.Equal(WaitingReason.NoWorker, await pool.ReasonOfAsync("t"));
        TestWorker next = await TestWorker.ConnectAsync(pool, kinds: ["other"]);
        Assert.Equal("t", (await next.AssignmentAsync()).Id.Value);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_worker_gets_the_tasks_of_its_own_namespace_only()
    {
        await using TestPool pool = await StartAsync();
        TestWorker here = await TestWorker.ConnectAsync(pool, @namespace: "here");
        TestWorker there = await TestWorker.ConnectAsync(pool, @namespace: "there");

        await pool.SubmitAsync(New("t", TestWorker.Spec, @namespace: "there"));

        Assert.Equal("there", (await there.AssignmentAsync()).Id.Namespace);
        Assert.Equal(0, here.Session.Host.Used);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Never_more_is_assigned_than_credit_and_slots_allow()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool, slots: 4, credit: 2);
        foreach (string id in (string[])["a", "b", "c", "d"])
            await pool.SubmitAsync(id, TestWorker.Spec with { Slots = 2 });
        await pool.SettleAsync();
        List<Assignment> held = [.. await worker.AssignmentsAsync()];
        if (held.Count < 2)
            held.AddRange(await worker.AssignmentsAsync());
        Assert.Equal(["a", "b"], held.Select(static one => one.Id.Value));

        await worker.SucceedAsync(held[0]);
        await pool.WhenAsync("a", TaskState.Succeeded);
        await pool.SettleAsync();
        Assert.Equal(TaskState.Queued, await pool.StateOfAsync("c")); // A slot is free, but there is no credit.
        worker.Session.AddCredit(5);
        Assert.Equal("c", (await worker.AssignmentAsync()).Id.Value);
        await pool.SettleAsync();
        Assert.Equal(TaskState.Queued, await pool.StateOfAsync("d")); // There is credit, but no slot is free.
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_pools_own_slots_and_those_of_workers_are_apart()
    {
        await using TestPool pool = await StartAsync(static options => options.Pool.Slots = 1);
        TestWorker worker = await TestWorker.ConnectAsync(pool, slots: 1);
        await pool.RunAsync("own");

        await pool.SubmitAsync("remote", TestWorker.Spec);

        Assert.Equal("remote", (await worker.AssignmentAsync()).Id.Value);
        Assert.Equal(TaskState.Running, await pool.StateOfAsync("own"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_queues_limit_bounds_the_pool_and_its_workers_together()
    {
        await using TestPool pool = await StartAsync(static options => options.Queues["default"].Limit = 2);
        TestWorker worker = await TestWorker.ConnectAsync(pool);
        TestRun own = await pool.RunAsync("own");
        await pool.SubmitAsync("a", TestWorker.Spec);
        await pool.SubmitAsync("b", TestWorker.Spec);
        await worker.AssignmentAsync();

        Assert.Equal(WaitingReason.QueueLimit, await pool.ReasonOfAsync("b"));
        own.Succeed();
        Assert.Equal("b", (await worker.AssignmentAsync()).Id.Value);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_task_larger_than_every_worker_waits_and_is_in_nobodys_way()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool, slots: 2);
        await pool.SubmitAsync("large", TestWorker.Spec with { Slots = 3 });
        await pool.SubmitAsync("small", TestWorker.Spec);

        Assert.Equal("small", (await worker.AssignmentAsync()).Id.Value);
        Assert.Equal(WaitingReason.NoWorker, await pool.ReasonOfAsync("large"));
        TestWorker larger = await TestWorker.ConnectAsync(pool, slots: 3);
        Assert.Equal("large", (await larger.AssignmentAsync()).Id.Value);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_is_not_begun_is_released_without_using_an_attempt()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool, credit: 1);
        await pool.SubmitAsync("t", TestWorker.Spec with { Retry = new RetryPolicy { MaxLosses = 0 } });

        await worker.ReportAsync(await worker.AssignmentAsync(), TaskOutcome.Released(began: false));

        TaskRecord released = await pool.WhenAsync("t", TaskState.Queued);
        Assert.Equal((0, 0), (released.Failures, released.Losses));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_cancellation_is_told_and_after_its_grace_the_lease_is_revoked()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool);
        await pool.SubmitAsync("t", TestWorker.Spec);
        Assignment assignment = await worker.AssignmentAsync();

        await pool.CancelAsync("t", TimeSpan.FromSeconds(3));
        StopNotice stop = Assert.Single((await worker.MailAsync()).Stops);
        Task<TaskRecord> cancelled = pool.WhenAsync("t", TaskState.Cancelled);
        await pool.AdvanceUntilAsync(cancelled);

        Assert.Equal((StopReason.Cancelled, TimeSpan.FromSeconds(3)), (stop.Reason, stop.Grace));
        Assert.Equal("t", Assert.Single((await worker.MailAsync(static mail => mail.Lost.Count > 0)).Lost).TaskId);
        await worker.SucceedAsync(assignment);
        Assert.Equal(TaskState.Cancelled, await pool.StateOfAsync("t"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Reports_come_in_the_order_of_their_sequences_and_repeated_ones_change_nothing()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool);
        await pool.SubmitAsync("t", TestWorker.Spec);
        Assignment assignment = await worker.AssignmentAsync();
        long sequence = await worker.SucceedAsync(assignment, "once");
        await worker.MailAsync(mail => mail.Accepted == sequence);

        await worker.SendAsync(sequence, assignment, TaskOutcome.Failed("twice"));

        Assert.Equal(sequence, (await worker.MailAsync()).Accepted);
        Assert.Equal(TaskState.Succeeded, await pool.StateOfAsync("t"));
        var fault = await Assert.ThrowsAsync<WorkerException>(() => worker.SendAsync(sequence + 2, assignment, TaskOutcome.Failed("gap")));
        Assert.Equal(WorkerFault.Protocol, fault.Fault);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_was_lost_on_its_way_uses_no_loss_also_where_more_waited_to_be_sent()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool);
        await pool.SubmitAsync("on-its-way", TestWorker.Spec);
        worker.Session.Number((await worker.MailAsync(static mail => mail.Assignments.Count > 0)).Assignments);
        await pool.SubmitAsync("unsent", TestWorker.Spec);
        await pool.WhenAsync("unsent", TaskState.Running);
        worker.Break();
        Assert.True(await worker.ResumeAsync());

        Task<IReadOnlyList<Assignment>> next = worker.AssignmentsAsync();
        Assert.False(next.IsCompleted);
        worker.Beat();
        Assert.Equal("unsent", Assert.Single(await next).Id.Value);
        worker.Session.AddCredit(1);
        Assert.Equal("on-its-way", (await worker.AssignmentAsync()).Id.Value);
        Assert.Equal(0, (await pool.FindAsync("on-its-way")).Losses);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_drain_of_the_pool_asks_workers_to_leave_and_takes_their_endings()
    {
        await using TestPool pool = await StartAsync();
        TestWorker worker = await TestWorker.ConnectAsync(pool);
        await pool.SubmitAsync("t", TestWorker.Spec);
        Assignment assignment = await worker.AssignmentAsync();

        Task drained = pool.Pool.DrainAsync();
        await worker.MailAsync(static mail => mail.Drain);
        await worker.SucceedAsync(assignment);

        await pool.WhenAsync("t", TaskState.Succeeded);
        await pool.AdvanceUntilAsync(drained);
    }
}
