using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

public abstract partial class TaskStoreConformance
{
    [Fact(Timeout = TestMilliseconds)]
    public async Task A_task_comes_back_as_it_was_submitted()
    {
        TaskSpec spec = EverythingSet();
        var submitted = new NewTask(new TaskId("other", "a"), spec) { SpecHash = [1, 2], SubmittedBy = "me", RunAt = Store.Now.AddHours(1) };
        await Store.CommitAsync(Given.Insert(submitted));

        TaskRecord task = (await Store.Store.FindAsync(submitted.Id))!;
        Assert.Equal(submitted.Id, task.Id);
        Assert.Equal(spec.Payload.ToArray(), task.Spec.Payload.ToArray());
        Assert.Equal(spec.Labels, task.Spec.Labels);
        Assert.Equal(spec.Headers, task.Spec.Headers);
        Assert.Equal(spec, task.Spec with { Payload = spec.Payload, Labels = spec.Labels, Headers = spec.Headers });
        Assert.Equal(submitted.SpecHash, task.SpecHash);
        Assert.Equal(
            ("me", Store.Now, Store.Now.AddHours(1), Store.Now, 1L),
            (task.SubmittedBy, task.SubmittedAt, task.RunAt, task.UpdatedAt, task.Version));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_task_without_a_time_is_queued_and_due_now()
    {
        TaskRecord task = await Store.InsertAsync(Given.Task("a"));
        Assert.Equal((TaskState.Queued, Store.Now, Store.Now, 0), (task.State, task.RunAt, task.DueAt!.Value, task.Attempt));
        Assert.Equal(["a"], await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_task_of_a_later_time_is_scheduled_and_not_ready()
    {
        TaskRecord task = await Store.InsertAsync(Given.Task("a") with { RunAt = Store.Now.AddSeconds(1) });
        Assert.Equal((TaskState.Scheduled, null), (task.State, task.DueAt));
        Assert.Empty(await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_time_that_has_passed_makes_due_now_and_jumps_no_queue()
    {
        await Store.InsertAsync(Given.Task("first"));
        TaskRecord late = await Store.InsertAsync(Given.Task("late") with { RunAt = Store.Now.AddDays(-1) });
        Assert.Equal((TaskState.Queued, Store.Now, Store.Now), (late.State, late.RunAt, late.DueAt!.Value));
        Assert.Equal(["first", "late"], await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_task_may_be_inserted_as_running_in_one_change()
    {
        CommitResult commit = await Store.CommitAsync(Given.Insert(InsertMode.Start, Given.Task("a")));
        TaskRecord task = Assert.Single(commit.Changes).Task;
        Assert.Equal((TaskState.Running, 1L, 1, Store.Now), (task.State, task.Version, task.Attempt, task.StartedAt!.Value));
        Assert.Equal(TaskState.Succeeded, (await Store.EndAsync(task, Given.Success)).State);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task What_is_not_ready_is_inserted_to_wait_though_a_slot_is_kept()
    {
        await Store.InsertAsync(Given.Serial("first"));
        Assert.Equal(TaskState.Queued, (await Store.InsertAsync(Given.Serial("second"), InsertMode.Start)).State);
        Assert.Equal(TaskState.Scheduled, (await Store.InsertAsync(Given.Task("later") with { RunAt = Store.Now.AddSeconds(1) }, InsertMode.Start)).State);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_same_id_with_an_equal_spec_is_the_same_task()
    {
        TaskRecord running = await Store.RunAsync(Given.Task("a"));
        CommitResult again = await Store.CommitAsync(Given.Insert(Given.Task("a")), Given.Insert(InsertMode.Start, Given.Task("a")));
        Assert.All(again.Outcomes, outcome => Assert.Equal((Verdict.Existing, running.Revision), (outcome.Items![0].Verdict, outcome.Items[0].Task!.Revision)));
        Assert.Empty(again.Changes);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_same_id_with_another_spec_is_a_conflict()
    {
        await Store.InsertAsync(Given.Task("a"));
        CommitResult other = await Store.CommitAsync(Given.Insert(Given.Task("a") with { SpecHash = [2] }));
        Assert.Equal(Verdict.Conflict, other.Outcomes[0].Items![0].Verdict);
        Assert.Empty(other.Changes);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task An_id_that_the_server_made_is_a_conflict_for_whoever_gives_it()
    {
        await Store.InsertAsync(Given.Task("a") with { SpecHash = null });
        Assert.Equal(Verdict.Conflict, (await Store.DoAsync(Given.Insert(Given.Task("a")))).Items![0].Verdict);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Duplicates_within_one_batch_are_found()
    {
        CommandOutcome outcome = await Store.DoAsync(Given.Insert(Given.Task("a"), Given.Task("a"), Given.Task("a") with { SpecHash = [2] }, Given.Task("b")));
        Assert.Equal([Verdict.Done, Verdict.Existing, Verdict.Conflict, Verdict.Done], Verdicts(outcome));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_same_id_in_two_namespaces_is_two_tasks()
    {
        await Store.InsertAsync(Given.Task("a"));
        Assert.Equal(Verdict.Done, (await Store.DoAsync(Given.Insert(new NewTask(new TaskId("other", "a"), Given.Spec)))).Items![0].Verdict);
        Assert.Single(await Store.ScanAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task An_atomic_insertion_with_a_conflict_inserts_nothing()
    {
        await Store.InsertAsync(Given.Task("b"));
        CommitResult commit = await Store.CommitAsync(Given.InsertAtomic(Given.Task("a"), Given.Task("b") with { SpecHash = [2] }, Given.Task("c")));
        Assert.Equal(Verdict.Aborted, commit.Outcomes[0].Verdict);
        Assert.Equal([Verdict.Aborted, Verdict.Conflict, Verdict.Aborted], Verdicts(commit.Outcomes[0]));
        Assert.Empty(commit.Changes);
        Assert.Null(await Store.FindAsync("a"));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task An_atomic_insertion_finds_its_own_conflicts()
    {
        CommandOutcome outcome = await Store.DoAsync(Given.InsertAtomic(Given.Task("a"), Given.Task("a") with { SpecHash = [2] }));
        Assert.Equal([Verdict.Aborted, Verdict.Conflict], Verdicts(outcome));
        Assert.Null(await Store.FindAsync("a"));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task An_atomic_insertion_may_repeat_what_exists()
    {
        await Store.InsertAsync(Given.Task("a"));
        CommandOutcome outcome = await Store.DoAsync(Given.InsertAtomic(Given.Task("a"), Given.Task("b"), Given.Task("b")));
        Assert.Equal([Verdict.Existing, Verdict.Done, Verdict.Existing], Verdicts(outcome));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_newcomer_displaces_the_oldest_that_never_started()
    {
        TaskRecord released = await Store.RunAsync(Given.Task("released"));
        await Store.EndAsync(released, Given.ReleasedUnrun);
        await Store.InsertAsync(Given.Task("higher", Given.Spec with { Priority = 1 }));
        await Store.InsertAsync(Given.Task("elsewhere", Given.Spec with { Queue = "other" }));
        await Store.InsertAsync(Given.Task("oldest"));
        await Store.InsertAsync(Given.Task("lower", Given.Spec with { Priority = -1 }));

        CommitResult commit = await Store.CommitAsync(Given.Insert(InsertMode.Displace, Given.Task("new") with { SubmittedBy = "me" }));
        Assert.Equal(["oldest", "new"], commit.Changes.Select(change => change.Task.Id.Value));
        TaskRecord displaced = await Store.GetAsync("oldest");
        Assert.Equal((TaskState.Cancelled, "displaced"), (displaced.State, displaced.Cancellation!.Reason));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Where_nothing_can_be_displaced_it_is_full()
    {
        await Store.InsertAsync(Given.Task("higher", Given.Spec with { Priority = 1 }));
        await Store.InsertAsync(Given.Task("later") with { RunAt = Store.Now.AddSeconds(1) });
        await Store.RunAsync(Given.Task("running"));
        CommitResult commit = await Store.CommitAsync(Given.Insert(InsertMode.Displace, Given.Task("new")));
        Assert.Equal(Verdict.Full, commit.Outcomes[0].Items![0].Verdict);
        Assert.Empty(commit.Changes);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_duplicate_displaces_nothing()
    {
        await Store.InsertAsync(Given.Task("a"));
        CommitResult commit = await Store.CommitAsync(Given.Insert(InsertMode.Displace, Given.Task("a")));
        Assert.Equal(Verdict.Existing, commit.Outcomes[0].Items![0].Verdict);
        Assert.Empty(commit.Changes);
    }

    private static IEnumerable<Verdict> Verdicts(CommandOutcome outcome) => outcome.Items!.Select(item => item.Verdict);

    private static TaskSpec EverythingSet() => new()
    {
        Kind = "convert",
        Queue = "images",
        Payload = new byte[] { 0, 255, 7 },
        ContentType = "application/octet-stream",
        Priority = -7,
        SerialKey = "customer 12",
        Slots = 3,
        Labels = new Dictionary<string, string> { ["tenant"] = "north", ["empty"] = "" },
        Headers = new Dictionary<string, string> { ["traceparent"] = "00-1-2-01" },
        ParentId = "parent",
        Group = "nightly",
        UniqueKey = "report 7",
        OnConflict = ConflictPolicy.Replace,
        StartTimeout = TimeSpan.FromSeconds(1),
        RunTimeout = TimeSpan.FromTicks(123_456_789),
        TotalTimeout = TimeSpan.FromDays(3),
        Retry = new RetryPolicy { MaxAttempts = 5, InitialBackoff = TimeSpan.FromMilliseconds(1), BackoffMultiplier = 1.5, MaxBackoff = TimeSpan.FromHours(1), Jitter = 0.25, MaxLosses = 0 },
        Retention = TimeSpan.FromDays(7),
    };
}
