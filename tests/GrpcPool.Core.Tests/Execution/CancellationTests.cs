using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

public sealed class CancellationTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact(Timeout = TimeoutMs)]
    public async Task A_waiting_task_is_cancelled_at_once()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync("scheduled", runAt: pool.Now.AddDays(1));
        await pool.SubmitAsync("queued", Spec with { Kind = NobodysKind });
        (await pool.RunAsync("retrying", Spec with { Retry = new RetryPolicy { MaxAttempts = 2 } })).Fail();
        await pool.WhenAsync("retrying", TaskState.Retrying);

        foreach (string id in (string[])["scheduled", "queued", "retrying"])
        {
            CommandOutcome outcome = await pool.CancelAsync(id);
            Assert.Equal((Verdict.Done, TaskState.Cancelled, "enough", "me"),
                (outcome.Verdict, outcome.Task!.State, outcome.Task.Cancellation!.Reason, outcome.Task.Cancellation.By));
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_running_task_is_told_and_ends_cancelled()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t", Spec with { Retry = new RetryPolicy { MaxAttempts = 9 } });
        CommandOutcome outcome = await pool.CancelAsync("t");
        Assert.Equal(TaskState.Running, outcome.Task!.State);

        await run.Stopped;
        await pool.WhenAsync("t", TaskState.Cancelled);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_finished_task_is_returned_as_it_is()
    {
        await using TestPool pool = await StartAsync();
        (await pool.RunAsync("t")).Succeed();
        TaskRecord ended = await pool.WhenAsync("t", TaskState.Succeeded);
        CommandOutcome outcome = await pool.CancelAsync("t");

        Assert.Equal(Verdict.Existing, outcome.Verdict);
        Assert.Equivalent(ended, outcome.Task);
        Assert.Equal(Verdict.NotFound, (await pool.CancelAsync("unknown")).Verdict);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Success_beats_a_cancellation()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t", Stubborn);
        await pool.CancelAsync("t");
        run.Succeed();

        Assert.NotNull((await pool.WhenAsync("t", TaskState.Succeeded)).Cancellation);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task After_its_grace_a_handler_is_stopped_by_force_and_given_up_a_second_later()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t", Stubborn);
        DateTimeOffset asked = pool.Now;
        await pool.CancelAsync("t", 10 * Second);
        await run.Stopped;
        pool.Time.Advance(10 * Second - TimeSpan.FromMilliseconds(1));
        Assert.False(run.Killed.IsCompleted);
        pool.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(asked + 10 * Second, await run.Killed);
        Assert.Equal(TaskState.Running, await pool.StateOfAsync("t"));
        pool.Time.Advance(Second);
        await pool.WhenAsync("t", TaskState.Cancelled);

        run.Succeed();
        await pool.SettleAsync();
        Assert.Equal(TaskState.Cancelled, await pool.StateOfAsync("t"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Asked_again_the_shorter_grace_counts_and_the_longer_does_not()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t", Stubborn);
        DateTimeOffset asked = pool.Now;
        await pool.CancelAsync("t", 60 * Second);
        await pool.CancelAsync("t", 2 * Second);
        await pool.CancelAsync("t", 30 * Second);
        pool.Time.Advance(2 * Second);

        Assert.Equal(asked + 2 * Second, await run.Killed);
        pool.Time.Advance(Second);
        TaskRecord ended = await pool.WhenAsync("t", TaskState.Cancelled);
        Assert.Equal(3, ended.Version);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_given_up_handler_keeps_its_slot_until_it_returns()
    {
        await using TestPool pool = await StartAsync(options => options.Pool.Slots = 1);
        TestRun run = await pool.RunAsync("t", Stubborn);
        await pool.SubmitAsync("next");
        await pool.CancelAsync("t", TimeSpan.Zero);
        await pool.AdvanceUntilAsync(pool.WhenAsync("t", TaskState.Cancelled));
        await pool.SettleAsync();
        Assert.False(pool.Handler.HasStarted("next"));
        run.Succeed();
        await pool.Handler.StartedAsync("next");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_filter_cancels_what_there_is_and_counts_it()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync([.. Enumerable.Range(0, 2500).Select(i => New($"t{i}", Spec with { Kind = NobodysKind, Queue = i % 2 == 0 ? "even" : "odd" }))]);
        var filter = new TaskFilter("default") { Queues = ["even"] };
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        Assert.Equal(1250, await pool.Pool.ForEachAsync(filter, static task => !task.State.IsFinal(), action: null, cancellation));
        Assert.Equal(1250, await pool.Pool.ForEachAsync(filter, static task => !task.State.IsFinal(), task => pool.CancelAsync(task.Id.Value), cancellation));

        Assert.Equal(0, await pool.Pool.ForEachAsync(filter, static task => !task.State.IsFinal(), task => pool.CancelAsync(task.Id.Value), cancellation));
        Assert.Equal(
            [(TaskState.Cancelled, 1250L), (TaskState.Queued, 1250L)],
            pool.Pool.TryCount(new TaskFilter("default"))!.Select(count => (count.State, count.Count)).OrderByDescending(count => count.State));
    }
}
