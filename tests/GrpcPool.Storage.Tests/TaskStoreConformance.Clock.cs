using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

public abstract partial class TaskStoreConformance
{
    [Fact(Timeout = TestMilliseconds)]
    public async Task A_scheduled_task_is_queued_when_it_is_due_and_not_before()
    {
        DateTimeOffset due = Store.Now.AddSeconds(10);
        await Store.InsertAsync(Given.Task("a") with { RunAt = due });
        Store.Pass(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        CommitResult early = await Store.WakeAsync();
        Assert.Empty(early.Changes);
        Assert.Equal(due, early.NextWake);
        Store.Pass(TimeSpan.FromTicks(1));
        CommitResult late = await Store.WakeAsync();
        Assert.Equal((TaskState.Queued, due), Assert.Single(late.Changes).Task switch { var task => (task.State, task.DueAt!.Value) });
        Assert.Null(late.NextWake);
        Assert.Equal(["a"], await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task What_never_started_in_time_is_expired()
    {
        TaskSpec hurried = Given.Spec with { StartTimeout = TimeSpan.FromSeconds(5) };
        await Store.InsertAsync(Given.Task("late", hurried));
        await Store.EndAsync(Given.Task("released", hurried), Given.ReleasedUnrun);
        Store.Pass(TimeSpan.FromSeconds(5));
        TaskRecord expired = Assert.Single((await Store.WakeAsync()).Changes).Task;
        Assert.Equal(("late", TaskState.Expired, Store.Now, Store.Now.AddHours(1)), (expired.Id.Value, expired.State, expired.FinishedAt!.Value, expired.ExpiresAt!.Value));
        Assert.Equal(["released"], await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_start_timeout_counts_from_when_a_task_is_due()
    {
        CommitResult inserted = await Store.CommitAsync(
            Given.Insert(Given.Task("a", Given.Spec with { StartTimeout = TimeSpan.FromSeconds(5) }) with { RunAt = Store.Now.AddSeconds(10) }));
        Assert.Equal(Store.Now.AddSeconds(10), inserted.NextWake);
        Store.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(Store.Now.AddSeconds(5), (await Store.WakeAsync()).NextWake);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_total_timeout_ends_what_is_queued_and_what_is_retrying_but_not_what_runs()
    {
        TaskSpec limited = Given.Spec with { TotalTimeout = TimeSpan.FromSeconds(5), Retry = Given.ThreeAttempts with { InitialBackoff = TimeSpan.FromMinutes(1) } };
        await Store.InsertAsync(Given.Task("queued", limited));
        await Store.EndAsync(Given.Task("retrying", limited), Given.RetryableFailure);
        await Store.RunAsync(Given.Task("running", limited));
        Store.Pass(TimeSpan.FromSeconds(5));
        CommitResult commit = await Store.WakeAsync();
        Assert.Equal(["queued", "retrying"], commit.Changes.Select(change => change.Task.Id.Value));
        Assert.All(commit.Changes, change => Assert.Equal((TaskState.Failed, FailureCode.Timeout), (change.Task.State, change.Task.Failure!.Code)));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Of_two_timeouts_that_have_passed_the_earlier_decides()
    {
        await Store.InsertAsync(Given.Task("start", Given.Spec with { StartTimeout = TimeSpan.FromSeconds(1), TotalTimeout = TimeSpan.FromSeconds(2) }));
        await Store.InsertAsync(Given.Task("total", Given.Spec with { StartTimeout = TimeSpan.FromSeconds(2), TotalTimeout = TimeSpan.FromSeconds(1) }));
        Store.Pass(TimeSpan.FromMinutes(1));
        await Store.WakeAsync();
        Assert.Equal((TaskState.Expired, TaskState.Failed), ((await Store.GetAsync("start")).State, (await Store.GetAsync("total")).State));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_released_task_beyond_its_total_timeout_fails_at_the_next_waking()
    {
        TaskRecord running = await Store.RunAsync(Given.Task("a", Given.Spec with { TotalTimeout = TimeSpan.FromSeconds(5) }));
        Store.Pass(TimeSpan.FromSeconds(6));
        CommitResult released = await Store.CommitAsync(new EndAttempt(running.Id, running.Claim, Given.ReleasedAfterItBegan));
        Assert.True(released.NextWake <= Store.Now);
        Assert.Equal(TaskState.Failed, Assert.Single((await Store.WakeAsync()).Changes).Task.State);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_finished_task_is_forgotten_when_its_retention_ends()
    {
        await Store.EndAsync(Given.Task("a"), Given.Success);
        Store.Pass(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        Assert.Empty((await Store.WakeAsync()).Changes);
        Store.Pass(TimeSpan.FromTicks(1));
        CommitResult commit = await Store.WakeAsync();
        Assert.Equal((ChangeType.Pruned, TaskState.Succeeded), Assert.Single(commit.Changes) switch { var change => (change.Type, change.Before!.Value) });
        Assert.Null(await Store.FindAsync("a"));
        Assert.Null(commit.NextWake);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_earliest_wake_first_and_no_more_than_asked_for()
    {
        await Store.InsertAsync(Given.Task("third") with { RunAt = Store.Now.AddSeconds(3) });
        await Store.InsertAsync(Given.Task("first") with { RunAt = Store.Now.AddSeconds(1) });
        await Store.InsertAsync(Given.Task("second") with { RunAt = Store.Now.AddSeconds(2) });
        DateTimeOffset third = Store.Now.AddSeconds(3);
        Store.Pass(TimeSpan.FromMinutes(1));
        CommitResult commit = await Store.WakeAsync(2);
        Assert.Equal(["first", "second"], commit.Changes.Select(change => change.Task.Id.Value));
        Assert.Equal(third, commit.NextWake);
        await Store.WakeAsync(2);
        Assert.Equal(["first", "second", "third"], await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_next_wake_is_the_nearest_of_all()
    {
        Assert.Null((await Store.CommitAsync(Given.Insert(Given.Task("plain")))).NextWake);
        await Store.EndAsync(Given.Task("done"), Given.Success);
        Assert.Equal(Store.Now.AddHours(1), (await Store.CommitAsync()).NextWake);
        await Store.EndAsync(Given.Task("retrying", Persistent), Given.RetryableFailure);
        Assert.Equal(Store.Now.AddSeconds(1), (await Store.CommitAsync()).NextWake);
        await Store.CancelAsync("retrying");
        Assert.Equal(Store.Now.AddHours(1), (await Store.CommitAsync()).NextWake);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_oldest_finished_above_a_number_are_forgotten()
    {
        foreach (string id in (string[])["a", "b", "c", "d"])
            await Store.InsertAsync(Given.Task(id));
        foreach (string id in (string[])["c", "a", "d", "b"])
            await Store.CancelAsync(id);
        await Store.InsertAsync(Given.Task("waiting"));

        Assert.Empty((await Store.CommitAsync(new PruneTasks(Keep: 4, Max: 10))).Changes);
        CommitResult commit = await Store.CommitAsync(new PruneTasks(Keep: 1, Max: 2));
        Assert.Equal([("c", ChangeType.Pruned), ("a", ChangeType.Pruned)], commit.Changes.Select(change => (change.Task.Id.Value, change.Type)));
        await Store.CommitAsync(new PruneTasks(Keep: 0, Max: 10));
        Assert.Equal("waiting", Assert.Single(await Store.ScanAsync()).Id.Value);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task What_is_run_again_is_no_longer_finished()
    {
        await Store.InsertAsync(Given.Task("a"));
        await Store.CancelAsync("a");
        await Store.RetryAsync("a");
        Store.Pass(TimeSpan.FromHours(2));
        Assert.Empty((await Store.CommitAsync(new PruneTasks(Keep: 0, Max: 10), new WakeTasks(10))).Changes);
    }
}
