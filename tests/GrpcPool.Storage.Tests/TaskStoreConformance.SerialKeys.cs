using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

public abstract partial class TaskStoreConformance
{
    [Fact(Timeout = TestMilliseconds)]
    public async Task Of_one_key_only_the_first_is_ready()
    {
        await InsertLine("a", "b", "c");
        Assert.Equal(["a"], await Store.ReadyAsync());
        Assert.True((await Store.GetAsync("b")).Blocked);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_end_of_one_frees_the_next_in_the_same_commit()
    {
        await InsertLine("a", "b", "c");
        TaskRecord a = await Store.StartAsync("a");
        CommitResult commit = await Store.CommitAsync(new EndAttempt(a.Id, a.Claim, Given.Success), new StartTask(Given.Id("b")));
        Assert.All(commit.Outcomes, outcome => Assert.Equal(Verdict.Done, outcome.Verdict));
        Assert.Empty(commit.Unblocked);
        TaskRecord b = await Store.GetAsync("b");
        CommitResult next = await Store.CommitAsync(new EndAttempt(b.Id, b.Claim, Given.Success));
        Assert.Equal("c", Assert.Single(next.Unblocked).Id.Value);
        Assert.Equal(["c"], await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task To_be_freed_is_no_change_that_a_watcher_sees()
    {
        await InsertLine("a", "b");
        TaskRecord before = await Store.GetAsync("b");
        CommitResult commit = await Store.CommitAsync(Given.Cancel("a"));
        Assert.Equal("a", Assert.Single(commit.Changes).Task.Id.Value);
        Assert.Equal((before.Version, before.Revision, false), await Store.GetAsync("b") switch { var b => (b.Version, b.Revision, b.Blocked) });
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_line_runs_in_order_whatever_the_priority_and_the_queue()
    {
        TaskSpec serial = Given.Spec with { SerialKey = "key" };
        await Store.CommitAsync(Given.Insert(Given.Task("a", serial), Given.Task("b", serial with { Queue = "other" }), Given.Task("c", serial with { Priority = 100 })));
        await Store.EndAsync(await Store.StartAsync("a"), Given.Success);
        Assert.Empty(await Store.ReadyAsync());
        await Store.EndAsync(await Store.StartAsync("b"), Given.Success);
        Assert.Equal(["c"], await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Keys_of_two_namespaces_are_two_lines()
    {
        await InsertLine("a");
        var other = new NewTask(new TaskId("other", "b"), Given.Spec with { SerialKey = "key" });
        Assert.True((await Store.DoAsync(Given.Insert(other))).Items![0].Task!.IsReady);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_scheduled_task_joins_at_the_tail_when_it_is_due()
    {
        await Store.InsertAsync(Given.Serial("scheduled") with { RunAt = Store.Now.AddSeconds(1) });
        await InsertLine("a", "b");
        Store.Pass(TimeSpan.FromSeconds(1));
        await Store.WakeAsync();
        await AssertOrder("a", "b", "scheduled");
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_task_keeps_its_place_while_it_is_retrying_and_when_it_is_released()
    {
        await InsertLine("a", "b");
        await Store.EndAsync(await Store.StartAsync("a"), Given.RetryableFailure);
        Assert.Empty(await Store.ReadyAsync());
        Store.Pass(TimeSpan.FromSeconds(1));
        await Store.WakeAsync();
        Assert.Equal(["a"], await Store.ReadyAsync());
        await Store.EndAsync(await Store.StartAsync("a"), Given.ReleasedUnrun);
        Assert.Equal(["a"], await Store.ReadyAsync());
        await Store.EndAsync(await Store.StartAsync("a"), Given.Loss);
        Assert.Empty(await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task What_is_run_again_joins_at_the_tail()
    {
        await InsertLine("a", "b");
        await Store.EndAsync(await Store.StartAsync("a"), Given.FinalFailure);
        Assert.True((await Store.RetryAsync("a")).Blocked);
        await AssertOrder("b", "a");
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task One_that_is_cancelled_in_the_middle_leaves_the_line()
    {
        await InsertLine("a", "b", "c");
        CommitResult commit = await Store.CommitAsync(Given.Cancel("b"));
        Assert.Empty(commit.Unblocked);
        await AssertOrder("a", "c");
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_running_task_that_is_marked_for_cancellation_keeps_its_key()
    {
        await InsertLine("a", "b");
        TaskRecord running = await Store.StartAsync("a");
        Assert.Empty((await Store.CommitAsync(Given.Cancel("a"))).Unblocked);
        Assert.Empty(await Store.ReadyAsync());
        await Store.EndAsync(running, Given.Loss);
        Assert.Equal(["b"], await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_line_that_expires_in_one_waking_leaves_nothing_behind()
    {
        TaskSpec hurried = Given.Spec with { SerialKey = "key", StartTimeout = TimeSpan.FromSeconds(1) };
        await Store.CommitAsync(Given.Insert(Given.Task("a", hurried), Given.Task("b", hurried), Given.Task("c", hurried)), Given.Insert(Given.Serial("d")));
        Store.Pass(TimeSpan.FromSeconds(1));
        CommitResult commit = await Store.WakeAsync();
        Assert.All(commit.Changes, change => Assert.Equal(TaskState.Expired, change.Task.State));
        Assert.Equal(3, commit.Changes.Count);
        Assert.Equal("d", Assert.Single(commit.Unblocked).Id.Value);
        Assert.Equal(["d"], await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_newcomer_may_displace_one_of_its_own_line()
    {
        await InsertLine("a");
        await Store.CommitAsync(Given.Insert(InsertMode.Displace, Given.Serial("b")));
        await AssertOrder("b");
    }

    private Task<CommitResult> InsertLine(params string[] ids) => Store.CommitAsync(Given.Insert([.. ids.Select(id => Given.Serial(id))]));

    private async Task AssertOrder(params string[] ids)
    {
        foreach (string id in ids)
        {
            Assert.Equal([id], await Store.ReadyAsync());
            await Store.EndAsync(await Store.StartAsync(id), Given.Success);
        }

        Assert.Empty(await Store.ReadyAsync());
    }
}
