using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

public abstract partial class TaskStoreConformance
{
    [Fact(Timeout = TestMilliseconds)]
    public async Task A_task_is_due_when_all_after_which_it_is_to_run_have_succeeded()
    {
        await Store.CommitAsync(Given.Insert(Given.Task("a"), Given.Task("b"), After("c", "a", "b")));
        TaskRecord waiting = await Store.GetAsync("c");
        Assert.Equal((TaskState.Scheduled, 2, null, null), (waiting.State, waiting.Awaits, waiting.DueAt, waiting.WakeAt));
        await Store.EndAsync(await Store.StartAsync("a"), Given.Success);
        Assert.Equal((TaskState.Scheduled, 1, 1L), await Store.GetAsync("c") switch { var c => (c.State, c.Awaits, c.Version) });
        Store.Pass(TimeSpan.FromSeconds(5));
        TaskRecord b = await Store.StartAsync("b");
        CommitResult commit = await Store.CommitAsync(new EndAttempt(b.Id, b.Claim, Given.Success), new StartTask(Given.Id("c")));
        Assert.Equal([("b", TaskState.Succeeded), ("c", TaskState.Queued), ("c", TaskState.Running)], commit.Changes.Select(change => (change.Task.Id.Value, change.Task.State)));
        TaskRecord running = await Store.GetAsync("c");
        Assert.Equal((Store.Now, Store.Now), (running.RunAt, running.DueAt));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task One_that_fails_cancels_all_that_are_to_run_after_it_in_the_same_commit()
    {
        await Store.CommitAsync(Given.Insert(Given.Task("a"), Given.Task("b"), After("c", "a", "b"), After("d", "c"), After("e", AfterPolicy.RunAnyway, "d")));
        TaskRecord a = await Store.StartAsync("a");
        CommitResult commit = await Store.CommitAsync(new EndAttempt(a.Id, a.Claim, Given.FinalFailure));
        Assert.Equal(
            [("a", TaskState.Failed), ("c", TaskState.Cancelled), ("d", TaskState.Cancelled), ("e", TaskState.Queued)], commit.Changes.Select(change => (change.Task.Id.Value, change.Task.State)));
        Assert.Equal("the task a, after which it was to run, ended FAILED", (await Store.GetAsync("c")).Cancellation!.Reason);
        Assert.Equal("the task c, after which it was to run, ended CANCELLED", (await Store.GetAsync("d")).Cancellation!.Reason);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task What_runs_anyway_waits_for_all_to_end()
    {
        await Store.CommitAsync(Given.Insert(Given.Task("a"), Given.Task("b"), After("c", AfterPolicy.RunAnyway, "a", "b")));
        await Store.CancelAsync("a");
        Assert.Equal(TaskState.Scheduled, (await Store.GetAsync("c")).State);
        await Store.EndAsync(await Store.StartAsync("b"), Given.FinalFailure);
        Assert.Equal(["c"], await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task What_has_ended_already_is_not_waited_for()
    {
        await Store.EndAsync(Given.Task("good"), Given.Success);
        await Store.EndAsync(Given.Task("bad"), Given.FinalFailure);
        CommitResult commit = await Store.CommitAsync(Given.Insert(After("a", "good"), After("b", "good", "bad"), After("c", AfterPolicy.RunAnyway, "bad")));
        Assert.Equal([TaskState.Queued, TaskState.Cancelled, TaskState.Queued], commit.Outcomes[0].Items!.Select(item => item.Task!.State));
        Assert.Equal([("a", TaskState.Queued), ("b", TaskState.Scheduled), ("b", TaskState.Cancelled), ("c", TaskState.Queued)], commit.Changes.Select(change => (change.Task.Id.Value, change.Task.State)));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_delay_that_is_longer_than_the_wait_is_kept()
    {
        NewTask later = After("b", "a") with { RunAt = Store.Now.AddSeconds(10) };
        await Store.CommitAsync(Given.Insert(Given.Task("a"), later));
        CommitResult commit = await Store.CommitAsync(new StartTask(Given.Id("a")));
        Assert.Null(commit.NextWake);
        TaskRecord a = await Store.GetAsync("a");
        commit = await Store.CommitAsync(new EndAttempt(a.Id, a.Claim, Given.Success));
        Assert.Equal((TaskState.Scheduled, 0), await Store.GetAsync("b") switch { var b => (b.State, b.Awaits) });
        Assert.Equal(Store.Now.AddSeconds(10), commit.NextWake);
        Store.Pass(TimeSpan.FromSeconds(10));
        await Store.WakeAsync();
        Assert.Equal(["b"], await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Timeouts_count_from_becoming_due()
    {
        await Store.CommitAsync(Given.Insert(Given.Task("a"), Given.Task("b", Given.Spec with { After = ["a"], StartTimeout = TimeSpan.FromSeconds(2), TotalTimeout = TimeSpan.FromSeconds(3) })));
        Store.Pass(TimeSpan.FromSeconds(60));
        await Store.WakeAsync();
        await Store.EndAsync(await Store.StartAsync("a"), Given.Success);
        TaskRecord b = await Store.GetAsync("b");
        Assert.Equal((TaskState.Queued, Store.Now.AddSeconds(2), Store.Now.AddSeconds(3)), (b.State, b.StartDeadline, b.TotalDeadline));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_task_is_kept_until_those_after_it_have_ended()
    {
        TaskSpec brief = Given.Spec with { Retention = TimeSpan.FromSeconds(1) };
        await Store.CommitAsync(Given.Insert(Given.Task("a", brief), Given.Task("other", brief), After("b", "a", "other")));
        await Store.EndAsync(await Store.StartAsync("a"), Given.Success);
        Store.Pass(TimeSpan.FromSeconds(5));
        await Store.WakeAsync();
        await Store.CommitAsync(new PruneTasks(0, 10));
        Assert.Equal(Verdict.Awaited, (await Store.DoAsync(new DeleteTask(Given.Id("a")))).Verdict);
        Assert.NotNull(await Store.FindAsync("a"));
        await Store.CancelAsync("b");
        await Store.WakeAsync();
        Assert.Null(await Store.FindAsync("a"));
        Assert.Equal(0, (await Store.GetAsync("other")).Dependants);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task What_is_kept_does_not_keep_others_from_being_forgotten()
    {
        await Store.CommitAsync(Given.Insert(Given.Task("a"), Given.Task("c"), After("b", "a", "c")));
        await Store.EndAsync(await Store.StartAsync("a"), Given.Success);
        foreach (string id in (string[])["d", "e"])
            await Store.EndAsync(Given.Task(id), Given.Success);
        CommitResult commit = await Store.CommitAsync(new PruneTasks(2, 10));
        Assert.Equal("d", Assert.Single(commit.Changes).Task.Id.Value);
        Assert.Equal([Verdict.Done, Verdict.NotFound], (await Store.CommitAsync(new PruneTasks(1, 10), new PruneTasks(0, 10))).Outcomes.Select(outcome => outcome.Verdict));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task To_run_one_again_reopens_nothing()
    {
        await Store.CommitAsync(Given.Insert(Given.Task("a"), Given.Task("b"), After("c", AfterPolicy.RunAnyway, "a", "b"), After("d", "a")));
        await Store.CancelAsync("a");
        await Store.RetryAsync("a");
        Assert.Equal((TaskState.Scheduled, 1), await Store.GetAsync("c") switch { var c => (c.State, c.Awaits) });
        Assert.Equal(TaskState.Cancelled, (await Store.GetAsync("d")).State);
        await Store.CancelAsync("a");
        Assert.Equal((TaskState.Scheduled, 1), await Store.GetAsync("c") switch { var c => (c.State, c.Awaits) });
        Assert.Equal((TaskState.Queued, 0), await Store.RetryAsync("d") switch { var d => (d.State, d.Awaits) });
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task What_does_not_exist_cannot_be_waited_for()
    {
        CommandOutcome each = await Store.DoAsync(Given.Insert(Given.Task("a"), After("b", "a", "c"), Given.Task("c"), After("d", "b")));
        Assert.Equal([(Verdict.Done, 0), (Verdict.NoParent, 1), (Verdict.Done, 0), (Verdict.NoParent, 0)], each.Items!.Select(item => (item.Verdict, item.Place)));
        CommandOutcome refused = await Store.DoAsync(Given.InsertAtomic(Given.Task("e"), After("f", "e"), After("g", "f", "g")));
        Assert.Equal([Verdict.Aborted, Verdict.Aborted, Verdict.NoParent], Verdicts(refused));
        Assert.Equal([Verdict.Done, Verdict.Done], Verdicts(await Store.DoAsync(Given.InsertAtomic(Given.Task("e"), After("f", "e")))));
        var elsewhere = new NewTask(new TaskId("other", "h"), Given.Spec with { After = ["e"] });
        Assert.Equal([Verdict.NoParent], Verdicts(await Store.DoAsync(Given.Insert(elsewhere))));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_chain_of_many_is_cancelled_at_once()
    {
        const int tasks = 5000;
        await Store.CommitAsync(Given.Insert([Given.Task("t0"), .. Enumerable.Range(1, tasks - 1).Select(i => After($"t{i}", $"t{i - 1}"))]));
        CommitResult commit = await Store.CommitAsync(Given.Cancel("t0"));
        Assert.Equal(tasks, commit.Changes.Count);
        Assert.All(commit.Changes, change => Assert.Equal(TaskState.Cancelled, change.Task.State));
    }

    private static NewTask After(string id, params string[] parents) => After(id, AfterPolicy.Cancel, parents);

    private static NewTask After(string id, AfterPolicy policy, params string[] parents) => Given.Task(id, Given.Spec with { After = parents, AfterPolicy = policy });
}
