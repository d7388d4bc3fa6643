using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

public abstract partial class TaskStoreConformance
{
    private static readonly TaskSpec Persistent = Given.Spec with { Retry = Given.ThreeAttempts };

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_ready_task_starts_once()
    {
        await Store.InsertAsync(Given.Task("a"));
        Store.Pass(TimeSpan.FromSeconds(1));
        CommitResult commit = await Store.CommitAsync(new StartTask(Given.Id("a"), new AttemptStart("w1")), new StartTask(Given.Id("a"), new AttemptStart("w2")));
        Assert.Equal([Verdict.Done, Verdict.Refused], commit.Outcomes.Select(outcome => outcome.Verdict));
        TaskRecord task = await Store.GetAsync("a");
        Assert.Equal((TaskState.Running, 1, "w1", Store.Now), (task.State, task.Attempt, task.Worker, task.StartedAt!.Value));
        Assert.Empty(await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task What_is_not_ready_does_not_start()
    {
        await Store.InsertAsync(Given.Task("later") with { RunAt = Store.Now.AddSeconds(1) });
        await Store.InsertAsync(Given.Serial("first"));
        await Store.InsertAsync(Given.Serial("second"));
        await Store.EndAsync(Given.Task("done"), Given.Success);
        await Store.EndAsync(Given.Task("retrying", Persistent), Given.RetryableFailure);
        foreach (string id in (string[])["later", "second", "done", "retrying", "unknown"])
            Assert.Equal(Verdict.Refused, (await Store.DoAsync(new StartTask(Given.Id(id)))).Verdict);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_success_keeps_its_result_and_progress()
    {
        var progress = new TaskProgress(0.75, "nearly", Store.Now);
        TaskRecord task = await Store.EndAsync(Given.Task("a"), Given.Success with { Progress = progress });
        Assert.Equal((TaskState.Succeeded, Store.Now, Store.Now.AddHours(1)), (task.State, task.FinishedAt!.Value, task.ExpiresAt!.Value));
        task = await Store.GetAsync("a");
        Assert.Equal([1, 2, 3], task.Result.ToArray());
        Assert.Equal(("text/plain", progress), (task.ResultContentType, task.Progress!));
        Assert.Equal((1, "worker", null), Assert.Single(task.Attempts) switch { var a => (a.Number, a.Worker, a.Failure) });
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_retryable_failure_waits_for_its_pause_until_the_attempts_are_used_up()
    {
        TaskRecord task = await Store.EndAsync(Given.Task("a", Persistent), Given.RetryableFailure);
        Assert.Equal((TaskState.Retrying, Store.Now.AddSeconds(1), "try again"), (task.State, task.RunAt, task.Failure!.Message));
        task = await Store.EndAsync(await WakeAndStart("a", TimeSpan.FromSeconds(1)), Given.RetryableFailure);
        Assert.Equal((TaskState.Retrying, Store.Now.AddSeconds(2), 2), (task.State, task.RunAt, task.Attempt));
        task = await Store.EndAsync(await WakeAndStart("a", TimeSpan.FromSeconds(2)), Given.RetryableFailure);
        Assert.Equal((TaskState.Failed, 3, FailureCode.HandlerError), (task.State, task.Attempt, task.Failure!.Code));
        Assert.Equal([1, 2, 3], (await Store.GetAsync("a")).Attempts.Select(attempt => attempt.Number));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_final_failure_is_not_tried_again()
    {
        TaskRecord task = await Store.EndAsync(Given.Task("a", Persistent), Given.FinalFailure);
        Assert.Equal((TaskState.Failed, FailureCode.InvalidPayload), (task.State, task.Failure!.Code));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_loss_uses_no_attempt_and_too_many_are_final()
    {
        TaskRecord task = await Store.EndAsync(Given.Task("a", Given.Spec with { Retry = new RetryPolicy { MaxLosses = 1, Jitter = 0 } }), Given.Loss);
        Assert.Equal((TaskState.Retrying, 1, Store.Now.AddSeconds(1), FailureCode.LeaseLost), (task.State, task.Losses, task.RunAt, task.Failure!.Code));
        task = await WakeAndStart("a", TimeSpan.FromSeconds(1));
        Assert.Equal(1, task.Attempt);
        task = await Store.EndAsync(task, Given.Loss);
        Assert.Equal((TaskState.Failed, 2, FailureCode.LeaseLost), (task.State, task.Losses, task.Failure!.Code));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_release_uses_no_attempt()
    {
        TaskRecord task = await Store.EndAsync(Given.Task("a"), Given.ReleasedAfterItBegan);
        Assert.Equal((TaskState.Queued, 1, 0, 0), (task.State, task.Attempt, task.Failures, task.Losses));
        Assert.Equal(["a"], await Store.ReadyAsync());
        Assert.Equal(1, (await Store.StartAsync("a")).Attempt);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task At_most_once_a_task_whose_handler_began_is_not_released()
    {
        TaskSpec once = Given.Spec with { Retry = new RetryPolicy { MaxLosses = 0 } };
        Assert.Equal(TaskState.Queued, (await Store.EndAsync(Given.Task("unrun", once), Given.ReleasedUnrun)).State);
        Assert.Equal(TaskState.Failed, (await Store.EndAsync(Given.Task("lost", once), Given.Loss)).State);
        TaskRecord began = await Store.EndAsync(Given.Task("began", once), Given.ReleasedAfterItBegan);
        Assert.Equal((TaskState.Failed, FailureCode.LeaseLost), (began.State, began.Failure!.Code));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_stale_claim_changes_nothing()
    {
        TaskRecord first = await Store.RunAsync(Given.Task("a"));
        await Store.EndAsync(first, Given.ReleasedUnrun);
        await AssertRefused(new EndAttempt(first.Id, first.Claim, Given.Success));

        TaskRecord second = await Store.StartAsync("a");
        Assert.NotEqual(first.Claim, second.Claim);
        await AssertRefused(new EndAttempt(first.Id, first.Claim, Given.Success));
        await AssertRefused(new EndAttempt(first.Id, 0, Given.Success));

        await Store.EndAsync(second, Given.Success);
        await AssertRefused(new EndAttempt(second.Id, second.Claim, Given.FinalFailure));
        await AssertRefused(new EndAttempt(Given.Id("unknown"), second.Claim, Given.Success));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task An_attempt_ends_once_also_within_one_commit()
    {
        TaskRecord running = await Store.RunAsync(Given.Task("a"));
        CommitResult commit = await Store.CommitAsync(
            new EndAttempt(running.Id, running.Claim, Given.Success), new EndAttempt(running.Id, running.Claim, Given.FinalFailure));
        Assert.Equal([Verdict.Done, Verdict.Refused], commit.Outcomes.Select(outcome => outcome.Verdict));
        Assert.Equal(TaskState.Succeeded, (await Store.GetAsync("a")).State);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_claim_of_a_deleted_task_does_not_end_its_successor()
    {
        TaskRecord former = await Store.RunAsync(Given.Task("a"));
        await Store.EndAsync(former, Given.Success);
        await Store.DoAsync(new DeleteTask(former.Id));
        TaskRecord successor = await Store.RunAsync(Given.Task("a"));
        Assert.NotEqual(former.Claim, successor.Claim);
        await AssertRefused(new EndAttempt(former.Id, former.Claim, Given.Success));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task After_a_cancellation_every_ending_but_success_is_cancelled()
    {
        AttemptEnding[] endings = [Given.RetryableFailure, Given.FinalFailure, Given.Loss, Given.ReleasedUnrun, Given.ReleasedAfterItBegan];
        foreach ((int i, AttemptEnding ending) in endings.Index())
        {
            TaskRecord cancelled = await EndAfterCancellation($"a{i}", ending);
            Assert.Equal((TaskState.Cancelled, "no longer wanted", null), (cancelled.State, cancelled.Cancellation!.Reason, cancelled.Failure));
        }

        Assert.Equal(TaskState.Succeeded, (await EndAfterCancellation("b", Given.Success)).State);
    }

    private async Task<TaskRecord> EndAfterCancellation(string id, AttemptEnding ending)
    {
        TaskRecord running = await Store.RunAsync(Given.Task(id, Persistent));
        await Store.CancelAsync(id);
        return await Store.EndAsync(running, ending);
    }

    private async Task<TaskRecord> WakeAndStart(string id, TimeSpan after)
    {
        Store.Pass(after);
        await Store.WakeAsync();
        return await Store.StartAsync(id);
    }

    private async Task AssertRefused(EndAttempt end)
    {
        CommitResult commit = await Store.CommitAsync(end);
        Assert.Equal(Verdict.Refused, commit.Outcomes[0].Verdict);
        Assert.Empty(commit.Changes);
    }
}
