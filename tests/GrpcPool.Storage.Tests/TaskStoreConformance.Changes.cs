using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

public abstract partial class TaskStoreConformance
{
    [Fact(Timeout = TestMilliseconds)]
    public void A_new_store_begins_its_revisions_at_the_time_in_microseconds()
    {
        long floor = Given.Now.ToUnixTimeMilliseconds() * 1000;
        Assert.Equal((floor, floor, null), (Store.Opened.Floor, Store.Opened.Revision, Store.Opened.NextWake));
        Assert.Empty(Store.Opened.Counts);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Versions_count_from_one_without_a_gap()
    {
        TaskRecord task = await Store.InsertAsync(Given.Task("a", Persistent));
        var versions = new List<long> { task.Version };
        versions.Add((task = await Store.StartAsync("a")).Version);
        versions.Add((await Store.CancelAsync("a")).Version);
        versions.Add((await Store.EndAsync(task, Given.Loss)).Version);
        versions.Add((await Store.RetryAsync("a")).Version);
        Assert.Equal([1, 2, 3, 4, 5], versions);
        Assert.Equal(5, (await Store.GetAsync("a")).Version);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_change_tells_the_state_before()
    {
        CommitResult inserted = await Store.CommitAsync(Given.Insert(Given.Task("a")));
        Assert.Null(Assert.Single(inserted.Changes).Before);
        CommitResult started = await Store.CommitAsync(new StartTask(Given.Id("a")));
        Assert.Equal(TaskState.Queued, Assert.Single(started.Changes).Before);
        Assert.Equal(started.Revision, started.Changes[0].Task.Revision);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_commit_without_a_change_takes_no_revision()
    {
        long revision = (await Store.InsertAsync(Given.Task("a"))).Revision;
        CommitResult commit = await Store.CommitAsync(new StartTask(Given.Id("unknown")), new WakeTasks(10), Given.Insert(Given.Task("a")));
        Assert.Equal(revision, commit.Revision);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Of_each_task_only_the_newest_change_is_read()
    {
        await Store.RunAsync(Given.Task("a"));
        await Store.InsertAsync(Given.Task("b"));
        TaskRecord newest = await Store.CancelAsync("a");
        ChangePage page = await Store.Store.ReadChangesAsync(Store.Opened.Floor, 100);
        Assert.Equal(["b", "a"], page.Changes.Select(change => change.Id.Value));
        Assert.Equal((newest.Revision, newest.Version), (page.Changes[1].Revision, page.Changes[1].Task!.Version));
        Assert.Equal((true, Store.Revision), (page.Complete, page.UpTo));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Only_what_came_after_is_read()
    {
        long after = (await Store.InsertAsync(Given.Task("a"))).Revision;
        await Store.InsertAsync(Given.Task("b"));
        Assert.Equal("b", Assert.Single((await Store.Store.ReadChangesAsync(after, 100)).Changes).Id.Value);
        ChangePage none = await Store.Store.ReadChangesAsync(Store.Revision, 100);
        Assert.Empty(none.Changes);
        Assert.Equal((true, Store.Revision), (none.Complete, none.UpTo));
    }

    [Theory(Timeout = TestMilliseconds)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public async Task Changes_are_read_page_by_page(int limit)
    {
        NewTask[] tasks = [.. Enumerable.Range(0, 7).Select(i => Given.Task($"task{i}"))];
        await Store.CommitAsync(Given.Insert(tasks));
        await Store.CommitAsync(Given.Cancel("task0"), Given.Cancel("task3"), new DeleteTask(Given.Id("task3")));
        var seen = new List<string>();
        long after = Store.Opened.Floor;
        while (after < Store.Revision)
        {
            ChangePage page = await Store.Store.ReadChangesAsync(after, limit);
            Assert.True(page.Complete && page.UpTo > after && page.Changes.Count <= limit);
            Assert.All(page.Changes, change => Assert.InRange(change.Revision, after + 1, page.UpTo));
            seen.AddRange(page.Changes.Select(change => change.Id.Value));
            after = page.UpTo;
        }

        Assert.Equal(["task1", "task2", "task4", "task5", "task6", "task0", "task3"], seen);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_task_that_is_gone_bears_only_its_id()
    {
        await Store.EndAsync(Given.Task("deleted"), Given.Success);
        await Store.EndAsync(Given.Task("pruned"), Given.Success);
        await Store.CommitAsync(new DeleteTask(Given.Id("deleted")), new PruneTasks(0, 10));
        ChangePage page = await Store.Store.ReadChangesAsync(Store.Opened.Floor, 100);
        Assert.Equal([("deleted", null), ("pruned", null)], page.Changes.Select(change => (change.Id.Value, change.Task)));
        Assert.Equal(Store.Revision, page.Changes[^1].Revision);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_task_that_was_deleted_and_made_again_is_read_as_it_is_now_last()
    {
        await Store.EndAsync(Given.Task("a"), Given.Success);
        await Store.DoAsync(new DeleteTask(Given.Id("a")));
        TaskRecord again = await Store.InsertAsync(Given.Task("a"));
        ChangePage page = await Store.Store.ReadChangesAsync(Store.Opened.Floor, 100);
        Assert.Equal((again.Revision, 1L), (page.Changes[^1].Revision, page.Changes[^1].Task!.Version));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task What_the_store_cannot_know_is_incomplete()
    {
        await Store.InsertAsync(Given.Task("a"));
        foreach (long after in (long[])[0, Store.Opened.Floor - 1, Store.Revision + 1])
        {
            ChangePage page = await Store.Store.ReadChangesAsync(after, 100);
            Assert.False(page.Complete);
            Assert.Empty(page.Changes);
        }
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task What_is_older_than_the_kept_history_is_incomplete()
    {
        const int kept = 5;
        StoreDriver store = await StoreDriver.OpenAsync(CreateStore(kept));
        for (int i = 0; i < 20; i++)
            await store.InsertAsync(Given.Task($"task{i}"));
        Assert.False((await store.Store.ReadChangesAsync(store.Opened.Floor, 100)).Complete);
        ChangePage page = await store.Store.ReadChangesAsync(store.Revision - kept, 100);
        Assert.True(page.Complete);
        Assert.Equal(["task15", "task16", "task17", "task18", "task19"], page.Changes.Select(change => change.Id.Value));
    }
}
