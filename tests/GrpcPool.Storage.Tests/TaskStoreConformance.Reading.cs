using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

public abstract partial class TaskStoreConformance
{
    [Theory(Timeout = TestMilliseconds)]
    [InlineData(false, 1)]
    [InlineData(false, 3)]
    [InlineData(false, 100)]
    [InlineData(true, 1)]
    [InlineData(true, 3)]
    [InlineData(true, 100)]
    public async Task A_scan_finds_every_task_once_in_order(bool newestFirst, int limit)
    {
        string[] ids = [.. Enumerable.Range(0, 9).Select(i => $"task{i}")];
        await Store.CommitAsync(Given.Insert([.. ids.Select(id => Given.Task(id))]));
        await Store.CancelAsync("task4");
        List<TaskRecord> found = await Store.ScanAsync(newestFirst: newestFirst, limit: limit);
        Assert.Equal(newestFirst ? ids.Reverse() : ids, found.Select(task => task.Id.Value));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task An_empty_store_has_an_empty_page()
    {
        TaskPage page = await Store.Store.ScanAsync(new TaskScan(new TaskFilter(Given.Namespace), null, NewestFirst: true, 10));
        Assert.Empty(page.Tasks);
        Assert.Null(page.Next);
    }

    [Theory(Timeout = TestMilliseconds)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Paging_is_stable_while_tasks_come_and_go(bool newestFirst)
    {
        const int tasks = 4000, pageSize = 500;
        string[] ids = [.. Enumerable.Range(0, tasks).Select(i => $"task{i}")];
        await Store.CommitAsync(Given.Insert([.. ids.Select(id => Given.Task(id))]));
        var seen = new List<string>();
        long? from = null;
        for (int page = 0; page == 0 || from is not null; page++)
        {
            TaskPage read = await Store.Store.ScanAsync(new TaskScan(new TaskFilter(Given.Namespace) { States = [TaskState.Queued] }, from, newestFirst, pageSize));
            seen.AddRange(read.Tasks.Select(task => task.Id.Value));
            from = read.Next;
            await Store.CommitAsync([Given.Insert(Given.Task($"new{page}")), .. read.Tasks.SelectMany(task => (TaskCommand[])[Given.Cancel(task.Id.Value), new DeleteTask(task.Id)])]);
        }

        IEnumerable<string> ordered = newestFirst ? ids.Reverse() : ids;
        Assert.Equal(ordered, seen.Where(id => id.StartsWith("task", StringComparison.Ordinal)));
        Assert.Equal(seen.Count, seen.Distinct().Count());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_oldest_ready_task_of_a_lane_is_found_among_all_priorities()
    {
        Assert.Null(await Store.Store.FindOldestAsync(Given.Lane));
        await Store.CommitAsync(Given.Insert(Given.Task("low", Given.Spec with { Priority = -100 })));
        DateTimeOffset first = (await Store.FindAsync("low"))!.RunAt;
        Store.Pass(TimeSpan.FromSeconds(1));
        await Store.CommitAsync(Given.Insert(Given.Task("middle"), Given.Task("high", Given.Spec with { Priority = 100 }), Given.Task("elsewhere", Given.Spec with { Queue = "other" })));
        Assert.Equal(first, await Store.Store.FindOldestAsync(Given.Lane));

        await Store.CancelAsync("low");
        Assert.Equal(first + TimeSpan.FromSeconds(1), await Store.Store.FindOldestAsync(Given.Lane));
        await Store.StartAsync("middle");
        await Store.StartAsync("high");
        Assert.Null(await Store.Store.FindOldestAsync(Given.Lane));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_filter_restricts_by_each_of_its_fields()
    {
        TaskSpec spec = Given.Spec;
        var labels = new Dictionary<string, string> { ["tenant"] = "north", ["size"] = "s" };
        await Store.InsertAsync(Given.Task("plain"));
        await Store.InsertAsync(Given.Task("queue", spec with { Queue = "images" }));
        await Store.InsertAsync(Given.Task("kind", spec with { Kind = "sleep" }));
        await Store.InsertAsync(Given.Task("labels", spec with { Labels = labels }));
        await Store.InsertAsync(Given.Task("key", spec with { SerialKey = "k" }));
        await Store.InsertAsync(Given.Task("parent", spec with { ParentId = "p" }));
        await Store.InsertAsync(Given.Task("group", spec with { Group = "g" }));
        Store.Pass(TimeSpan.FromSeconds(10));
        await Store.InsertAsync(Given.Task("late"));
        await Store.EndAsync(Given.Task("done"), Given.Success);
        await Store.DoAsync(Given.Insert(new NewTask(new TaskId("other", "foreign"), spec)));

        var all = new TaskFilter(Given.Namespace);
        await AssertFound(all, "plain", "queue", "kind", "labels", "key", "parent", "group", "late", "done");
        await AssertFound(new TaskFilter("other"), "foreign");
        await AssertFound(new TaskFilter("unknown"));
        await AssertFound(all with { States = [TaskState.Succeeded, TaskState.Failed] }, "done");
        await AssertFound(all with { Queues = ["images", "unknown"] }, "queue");
        await AssertFound(all with { Kinds = ["sleep"] }, "kind");
        await AssertFound(all with { Labels = new Dictionary<string, string> { ["tenant"] = "north" } }, "labels");
        await AssertFound(all with { Labels = labels }, "labels");
        await AssertFound(all with { Labels = new Dictionary<string, string> { ["tenant"] = "north", ["size"] = "l" } });
        await AssertFound(all with { Labels = new Dictionary<string, string> { ["colour"] = "red" } });
        await AssertFound(all with { SerialKey = "k" }, "key");
        await AssertFound(all with { ParentId = "p" }, "parent");
        await AssertFound(all with { Group = "g" }, "group");
        await AssertFound(all with { Group = "G" });
        await AssertFound(all with { SubmittedAfter = Store.Now }, "late", "done");
        await AssertFound(all with { SubmittedBefore = Store.Now, Kinds = ["sleep", "echo"], Queues = ["images"] }, "queue");
        await AssertFound(all with { SubmittedAfter = Store.Now, SubmittedBefore = Store.Now });
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_scan_that_finds_little_still_comes_to_its_end()
    {
        NewTask[] many = [.. Enumerable.Range(0, 12_000).Select(i => Given.Task($"task{i}"))];
        await Store.CommitAsync(Given.Insert(many), Given.Insert(Given.Task("wanted", Given.Spec with { Queue = "rare" })));
        await AssertFound(new TaskFilter(Given.Namespace) { Queues = ["rare"] }, "wanted");
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Ready_tasks_come_by_priority_then_by_when_they_became_due()
    {
        await Store.InsertAsync(Given.Task("later") with { RunAt = Store.Now.AddSeconds(2) });
        await Store.InsertAsync(Given.Task("sooner") with { RunAt = Store.Now.AddSeconds(1) });
        await Store.InsertAsync(Given.Task("low", Given.Spec with { Priority = -1 }));
        await Store.InsertAsync(Given.Task("plain"));
        await Store.InsertAsync(Given.Task("plain2"));
        Store.Pass(TimeSpan.FromSeconds(3));
        await Store.WakeAsync();
        await Store.InsertAsync(Given.Task("high", Given.Spec with { Priority = 1 }));
        await Store.InsertAsync(Given.Task("newest"));
        string[] order = ["high", "plain", "plain2", "sooner", "later", "newest", "low"];
        Assert.Equal(order, await Store.ReadyAsync());
        Assert.Equal(order[..3], await Store.ReadyAsync(limit: 3));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_released_task_keeps_its_place_among_the_ready()
    {
        await Store.InsertAsync(Given.Task("a"));
        Store.Pass(TimeSpan.FromSeconds(1));
        await Store.InsertAsync(Given.Task("b"));
        await Store.EndAsync(await Store.StartAsync("a"), Given.ReleasedUnrun);
        Assert.Equal(["a", "b"], await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Ready_tasks_are_read_by_lane_and_size()
    {
        await Store.InsertAsync(Given.Task("large", Given.Spec with { Slots = 4 }));
        await Store.InsertAsync(Given.Task("small", Given.Spec with { Slots = 2 }));
        await Store.InsertAsync(Given.Task("queue", Given.Spec with { Queue = "other" }));
        await Store.InsertAsync(Given.Task("kind", Given.Spec with { Kind = "sleep" }));
        await Store.DoAsync(Given.Insert(new NewTask(new TaskId("other", "foreign"), Given.Spec)));
        Assert.Equal(["large", "small"], await Store.ReadyAsync(slotsMax: 4));
        Assert.Equal(["small"], await Store.ReadyAsync(slotsMax: 3, limit: 1));
        Assert.Empty(await Store.ReadyAsync(slotsMax: 1));
        Assert.Equal(["queue"], await Store.ReadyAsync(Given.Lane with { Queue = "other" }));
        Assert.Equal(["kind"], await Store.ReadyAsync(Given.Lane with { Kind = "sleep" }));
        Assert.Equal(["foreign"], await Store.ReadyAsync(Given.Lane with { Namespace = "other" }));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_ready_task_tells_what_the_dispatcher_must_know()
    {
        TaskSpec spec = Given.Spec with { Priority = 5, Slots = 2, SerialKey = "key", Retry = Given.ThreeAttempts };
        TaskRecord task = await Store.InsertAsync(Given.Task("a", spec));
        var expected = new ReadyTask(task.Id, "echo", task.Sequence, 5, task.RunAt, 2, "key", Suspect: false);
        Assert.Equal(expected, Assert.Single(await Store.Store.ReadReadyAsync(Given.Lane, 2, 10)));
        await Store.EndAsync(await Store.StartAsync("a"), Given.Loss);
        await Store.EndAsync(await WakeAndStart("a", TimeSpan.FromSeconds(1)), Given.Loss);
        Store.Pass(TimeSpan.FromSeconds(1));
        await Store.WakeAsync();
        Assert.True(Assert.Single(await Store.Store.ReadReadyAsync(Given.Lane, 2, 10)).Suspect);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_place_of_a_task_counts_its_whole_queue_up_to_a_limit()
    {
        TaskSpec spec = Given.Spec;
        await Store.InsertAsync(Given.Task("a"));
        await Store.InsertAsync(Given.Task("b", spec with { Kind = "sleep" }));
        await Store.InsertAsync(Given.Task("elsewhere", spec with { Queue = "other" }));
        await Store.DoAsync(Given.Insert(new NewTask(new TaskId("other", "foreign"), spec)));
        TaskRecord task = await Store.InsertAsync(Given.Task("c"));
        await Store.InsertAsync(Given.Task("behind"));
        await Store.InsertAsync(Given.Task("before", spec with { Priority = 1 }));
        Assert.Equal(3, await Store.Store.CountBeforeAsync(task, 100));
        Assert.Equal(2, await Store.Store.CountBeforeAsync(task, 2));
        await Store.StartAsync("before");
        Assert.Equal(2, await Store.Store.CountBeforeAsync(task, 100));
        Assert.Equal(0, await Store.Store.CountBeforeAsync(await Store.GetAsync("a"), 100));
    }

    private async Task AssertFound(TaskFilter filter, params string[] ids)
    {
        Assert.Equal(ids, (await Store.ScanAsync(filter, limit: 2)).Select(task => task.Id.Value));
        Assert.Equal(ids.Reverse(), (await Store.ScanAsync(filter, newestFirst: true)).Select(task => task.Id.Value));
    }
}
