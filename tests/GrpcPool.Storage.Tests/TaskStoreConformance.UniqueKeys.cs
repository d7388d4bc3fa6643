using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

public abstract partial class TaskStoreConformance
{
    [Fact(Timeout = TestMilliseconds)]
    public async Task A_unique_key_has_one_live_task_also_within_one_commit()
    {
        CommitResult commit = await Store.CommitAsync(Given.Insert(Unique("a"), Unique("b")), Given.Insert(Unique("c"), Unique("other", key: "other")));
        Assert.Equal([Verdict.Done, Verdict.Existing, Verdict.Existing, Verdict.Done], commit.Outcomes.SelectMany(Verdicts));
        Assert.Equal("a", commit.Outcomes[1].Items![0].Task!.Id.Value);
        Assert.Null(await Store.FindAsync("b"));
        Assert.Equal("a", (await Store.Store.FindUniqueAsync(Given.Namespace, "key"))!.Id.Value);
        Assert.Null(await Store.Store.FindUniqueAsync("elsewhere", "key"));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_end_of_its_task_frees_a_unique_key_in_the_same_commit()
    {
        TaskRecord a = await Store.RunAsync(Unique("a"));
        CommitResult commit = await Store.CommitAsync(new EndAttempt(a.Id, a.Claim, Given.Success), Given.Insert(Unique("b", ConflictPolicy.Reject)));
        Assert.Equal([Verdict.Done], Verdicts(commit.Outcomes[1]));
        Assert.Equal("b", (await Store.Store.FindUniqueAsync(Given.Namespace, "key"))!.Id.Value);
        await Store.DoAsync(new DeleteTask(a.Id));
        Assert.Equal("b", (await Store.Store.FindUniqueAsync(Given.Namespace, "key"))!.Id.Value);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_waiting_task_is_replaced_and_one_that_runs_is_not()
    {
        await Store.InsertAsync(Unique("a") with { RunAt = Store.Now.AddHours(1) });
        CommitResult replaced = await Store.CommitAsync(Given.Insert(InsertMode.Start, Unique("b", ConflictPolicy.Replace)));
        Assert.Equal([("a", TaskState.Cancelled), ("b", TaskState.Running)], replaced.Changes.Select(change => (change.Task.Id.Value, change.Task.State)));
        Assert.Equal("replaced", (await Store.GetAsync("a")).Cancellation!.Reason);
        CommitResult refused = await Store.CommitAsync(Given.Insert(Unique("c", ConflictPolicy.Replace), Unique("d", ConflictPolicy.Reject), Unique("e")));
        Assert.Equal([Verdict.KeyHeld, Verdict.KeyHeld, Verdict.Existing], Verdicts(refused.Outcomes[0]));
        Assert.Empty(refused.Changes);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_id_is_looked_for_before_the_unique_key()
    {
        await Store.EndAsync(Unique("a", ConflictPolicy.Reject), Given.Success);
        await Store.InsertAsync(Unique("b"));
        Assert.Equal([Verdict.Existing], Verdicts(await Store.DoAsync(Given.Insert(Unique("a", ConflictPolicy.Reject)))));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Whose_unique_key_another_has_is_not_run_again()
    {
        await Store.EndAsync(Unique("a"), Given.FinalFailure);
        await Store.InsertAsync(Unique("b"));
        CommandOutcome refused = await Store.DoAsync(new RetryTask(Given.Id("a")));
        Assert.Equal((Verdict.KeyHeld, "b"), (refused.Verdict, refused.Task!.Id.Value));
        await Store.CancelAsync("b");
        await Store.RetryAsync("a");
        Assert.Equal("a", (await Store.Store.FindUniqueAsync(Given.Namespace, "key"))!.Id.Value);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task An_atomic_insertion_is_refused_as_a_whole_for_a_unique_key()
    {
        CommandOutcome refused = await Store.DoAsync(Given.InsertAtomic(Unique("a"), Given.Task("x"), Unique("b", ConflictPolicy.Reject)));
        Assert.Equal((Verdict.Aborted, 0), (refused.Verdict, (await Store.ScanAsync()).Count));
        Assert.Equal([Verdict.Aborted, Verdict.Aborted, Verdict.KeyHeld], Verdicts(refused));
        CommandOutcome done = await Store.DoAsync(Given.InsertAtomic(Unique("a"), Unique("b"), Unique("c", ConflictPolicy.Replace)));
        Assert.Equal([Verdict.Done, Verdict.Existing, Verdict.Done], Verdicts(done));
        Assert.Equal((TaskState.Cancelled, TaskState.Queued), ((await Store.GetAsync("a")).State, (await Store.GetAsync("c")).State));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Without_room_only_what_needs_none_comes_in()
    {
        await Store.InsertAsync(Unique("a"));
        CommandOutcome outcome = await Store.DoAsync(Given.Insert(
            InsertMode.WithoutRoom, Unique("b"), Unique("c", ConflictPolicy.Replace), Unique("d", ConflictPolicy.Replace, queue: "other"), Unique("e", key: "free")));
        Assert.Equal([Verdict.Existing, Verdict.Done, Verdict.Full, Verdict.Full], Verdicts(outcome));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_unique_key_is_held_over_the_end_of_the_process()
    {
        await Store.InsertAsync(Unique("a"));
        if (Reopen(Store.Store) is not { } next)
            return;
        await Store.ReopenAsync(next);
        Assert.Equal([Verdict.KeyHeld], Verdicts(await Store.DoAsync(Given.Insert(Unique("b", ConflictPolicy.Reject)))));
        Assert.Equal(ConflictPolicy.UseExisting, (await Store.GetAsync("a")).Spec.OnConflict);
    }

    private static NewTask Unique(string id, ConflictPolicy policy = ConflictPolicy.UseExisting, string key = "key", string queue = "default") =>
        Given.Task(id, Given.Spec with { UniqueKey = key, OnConflict = policy, Queue = queue });
}
