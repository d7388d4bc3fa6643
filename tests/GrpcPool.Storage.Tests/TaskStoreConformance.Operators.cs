using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

public abstract partial class TaskStoreConformance
{
    [Fact(Timeout = TestMilliseconds)]
    public async Task What_waits_is_cancelled_at_once()
    {
        await Store.InsertAsync(Given.Task("scheduled") with { RunAt = Store.Now.AddSeconds(1) });
        await Store.InsertAsync(Given.Task("queued"));
        await Store.EndAsync(Given.Task("retrying", Persistent), Given.RetryableFailure);
        foreach (string id in (string[])["scheduled", "queued", "retrying"])
        {
            TaskRecord task = await Store.CancelAsync(id);
            Assert.Equal((TaskState.Cancelled, Store.Now, Store.Now.AddHours(1)), (task.State, task.FinishedAt!.Value, task.ExpiresAt!.Value));
            Assert.Equal(new Cancellation("no longer wanted", "tester", Store.Now), task.Cancellation);
        }

        Assert.Empty(await Store.ReadyAsync());
        Store.Pass(TimeSpan.FromMinutes(1));
        Assert.Empty((await Store.WakeAsync()).Changes);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_running_task_is_marked_once_and_keeps_its_claim()
    {
        TaskRecord running = await Store.RunAsync(Given.Task("a"));
        TaskRecord marked = await Store.CancelAsync("a");
        Assert.Equal((TaskState.Running, running.Claim, running.Version + 1), (marked.State, marked.Claim, marked.Version));
        CommitResult again = await Store.CommitAsync(new CancelTask(running.Id, "another reason", "another"));
        Assert.Equal((Verdict.Existing, "no longer wanted"), (again.Outcomes[0].Verdict, again.Outcomes[0].Task!.Cancellation!.Reason));
        Assert.Empty(again.Changes);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_finished_task_is_not_cancelled()
    {
        TaskRecord done = await Store.EndAsync(Given.Task("a"), Given.Success);
        CommitResult commit = await Store.CommitAsync(Given.Cancel("a"));
        Assert.Equal((Verdict.Existing, done.Revision), (commit.Outcomes[0].Verdict, commit.Outcomes[0].Task!.Revision));
        Assert.Empty(commit.Changes);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task What_failed_was_cancelled_or_expired_runs_again_as_if_anew()
    {
        await Store.EndAsync(Given.Task("failed", Persistent), Given.FinalFailure);
        await Store.InsertAsync(Given.Task("cancelled") with { RunAt = Store.Now.AddDays(1) });
        await Store.CancelAsync("cancelled");
        await Store.InsertAsync(Given.Task("expired", Given.Spec with { StartTimeout = TimeSpan.FromSeconds(1) }));
        Store.Pass(TimeSpan.FromSeconds(1));
        await Store.WakeAsync();
        foreach (string id in (string[])["failed", "cancelled", "expired"])
        {
            await Store.RetryAsync(id);
            TaskRecord task = await Store.GetAsync(id);
            Assert.Equal((TaskState.Queued, 0, 0, 0), (task.State, task.Attempt, task.Failures, task.Losses));
            Assert.Equal((Store.Now, Store.Now), (task.RunAt, task.DueAt!.Value));
            Assert.True(task is { StartedAt: null, FinishedAt: null, ExpiresAt: null, Failure: null, Cancellation: null, Progress: null, Worker: "" });
        }

        Assert.Equal(["failed", "cancelled", "expired"], await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Nothing_else_is_run_again()
    {
        await Store.InsertAsync(Given.Task("scheduled") with { RunAt = Store.Now.AddSeconds(1) });
        await Store.InsertAsync(Given.Task("queued"));
        await Store.RunAsync(Given.Task("running"));
        await Store.EndAsync(Given.Task("retrying", Persistent), Given.RetryableFailure);
        await Store.EndAsync(Given.Task("succeeded"), Given.Success);
        foreach (string id in (string[])["scheduled", "queued", "running", "retrying", "succeeded"])
            Assert.Equal((Verdict.Refused, id), await Store.DoAsync(new RetryTask(Given.Id(id))) switch { var outcome => (outcome.Verdict, outcome.Task!.Id.Value) });
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Only_a_finished_task_is_deleted()
    {
        TaskRecord running = await Store.RunAsync(Given.Task("a"));
        Assert.Equal(Verdict.Refused, (await Store.DoAsync(new DeleteTask(running.Id))).Verdict);
        await Store.EndAsync(running, Given.Success);
        CommitResult commit = await Store.CommitAsync(new DeleteTask(running.Id), new DeleteTask(running.Id));
        Assert.Equal([Verdict.Done, Verdict.NotFound], commit.Outcomes.Select(outcome => outcome.Verdict));
        Assert.Equal((ChangeType.Deleted, TaskState.Succeeded), Assert.Single(commit.Changes) switch { var change => (change.Type, change.Task.State) });
        Assert.Null(await Store.FindAsync("a"));
        Assert.Empty(await Store.ScanAsync());
        Assert.Null(commit.NextWake);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_id_of_a_deleted_task_is_free()
    {
        TaskRecord former = await Store.EndAsync(Given.Task("a"), Given.Success);
        await Store.DoAsync(new DeleteTask(former.Id));
        TaskRecord task = await Store.InsertAsync(Given.Task("a") with { SpecHash = [2] });
        Assert.Equal((1L, TaskState.Queued), (task.Version, task.State));
        Assert.True(task.Sequence > former.Revision);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task What_is_unknown_is_not_found()
    {
        TaskId unknown = Given.Id("unknown");
        CommitResult commit = await Store.CommitAsync(Given.Cancel("unknown"), new RetryTask(unknown), new DeleteTask(unknown));
        Assert.All(commit.Outcomes, outcome => Assert.Equal((Verdict.NotFound, null), (outcome.Verdict, outcome.Task)));
        Assert.Empty(commit.Changes);
        Assert.Null(await Store.FindAsync("unknown"));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Commands_see_what_those_before_them_in_the_commit_did()
    {
        TaskRecord running = await Store.RunAsync(Given.Task("a"));
        CommitResult commit = await Store.CommitAsync(
            new EndAttempt(running.Id, running.Claim, Given.FinalFailure),
            new RetryTask(running.Id),
            new StartTask(running.Id),
            Given.Insert(Given.Task("b")),
            Given.Cancel("b"),
            new DeleteTask(Given.Id("b")));
        Assert.All(commit.Outcomes, outcome => Assert.Equal(Verdict.Done, outcome.Verdict));
        Assert.Equal(
            [TaskState.Failed, TaskState.Queued, TaskState.Running, TaskState.Queued, TaskState.Cancelled, TaskState.Cancelled],
            commit.Changes.Select(change => change.Task.State));
        Assert.Null(await Store.FindAsync("b"));
    }
}
