using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Storage.Memory;
using GrpcPool.Core.Watching;
using Microsoft.Extensions.Time.Testing;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Watching;

public sealed class WatchHubTests
{
    /// <summary>More commits than wait to be handed out.</summary>
    private const int Commits = 6000;

    [Fact(Timeout = TimeoutMs)]
    public async Task When_more_is_committed_than_can_be_handed_out_watchers_catch_up_from_the_store()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        var time = new FakeTimeProvider();
        var store = new MemoryTaskStore(historyMax: 100_000);
        var hub = new WatchHub(store, new LimitOptions(), time);
        hub.Start((await store.OpenAsync(time.GetUtcNow(), cancellation)).Revision);
        using Watch watch = Watch.Open(hub, new WatchQuery { Filter = new TaskFilter("default"), SkipSnapshot = true });
        using var open = new ManualResetEventSlim();
        hub.Register(new WatchBuffer(_ => Await(open), new BufferedBytes(1000)), []);
        Task<HashSet<string>> reading = ReadAsync(watch, Commits, cancellation);
        for (int i = 0; i < Commits; i++)
        {
            CommitResult result = await store.CommitAsync([new InsertTasks([new Insertion(New($"t{i}"), InsertMode.Plain)])], time.GetUtcNow());
            hub.Publish(result.Changes, result.Revision);
        }

        open.Set();
        Assert.Equal(Commits, (await reading).Count);
        await hub.StopAsync();
        Assert.Equal(hub.Committed, hub.Published);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_watcher_that_resumes_sees_also_what_was_committed_while_nobody_watched()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        var time = new FakeTimeProvider();
        var store = new MemoryTaskStore(historyMax: 100);
        var hub = new WatchHub(store, new LimitOptions(), time);
        hub.Start((await store.OpenAsync(time.GetUtcNow(), cancellation)).Revision);
        long seen;
        using (Watch former = Watch.Open(hub, new WatchQuery { Filter = new TaskFilter("default"), SkipSnapshot = true }))
        {
            await CommitAsync("seen");
            await hub.WhenPublishedAsync(seen = hub.Committed, cancellation);
        }

        await CommitAsync("unseen");
        Assert.Equal(hub.Committed, hub.Published);
        using Watch watch = Watch.Open(hub, new WatchQuery { Filter = new TaskFilter("default"), AfterRevision = seen });
        await CommitAsync("newest");

        Assert.Equal(["newest", "unseen"], (await ReadAsync(watch, 2, cancellation)).Order());
        await hub.StopAsync();

        async Task CommitAsync(string id)
        {
            CommitResult result = await store.CommitAsync([new InsertTasks([new Insertion(New(id), InsertMode.Plain)])], time.GetUtcNow());
            hub.Publish(result.Changes, result.Revision);
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_watcher_that_has_yet_to_read_hears_of_one_change_and_of_all_progress_until_it_goes_on()
    {
        var time = new FakeTimeProvider();
        var store = new MemoryTaskStore(historyMax: 100);
        var hub = new WatchHub(store, new LimitOptions(), time);
        hub.Start((await store.OpenAsync(time.GetUtcNow(), TestContext.Current.CancellationToken)).Revision);
        var heard = new List<ChangeType>();
        var buffer = new WatchBuffer(change => Hear(change.Type), new BufferedBytes(1000), catchesUp: true);
        hub.Register(buffer, []);
        TaskChange change = WatchBufferTests.Large(ChangeType.Changed), progress = WatchBufferTests.Large(ChangeType.Progressed);
        await PublishAsync([change, change]);
        await PublishAsync([change]);
        Assert.Equal([ChangeType.Changed], heard);

        hub.Publish(progress);
        await PublishAsync([change]);
        Assert.Equal([ChangeType.Changed, ChangeType.Progressed, ChangeType.Changed], heard);

        await PublishAsync([change]);
        Assert.True(buffer.TakeBehind());
        hub.Resume(buffer);
        await PublishAsync([change]);
        Assert.Equal(4, heard.Count);
        await hub.StopAsync();

        bool Hear(ChangeType type)
        {
            heard.Add(type);
            return true;
        }

        Task PublishAsync(TaskChange[] changes)
        {
            hub.Publish(changes, hub.Committed + 1);
            return hub.WhenPublishedAsync(hub.Committed, TestContext.Current.CancellationToken);
        }
    }

    private static bool Await(ManualResetEventSlim open)
    {
        open.Wait(TestContext.Current.CancellationToken);
        return true;
    }

    private static async Task<HashSet<string>> ReadAsync(Watch watch, int count, CancellationToken cancellation)
    {
        var ids = new HashSet<string>();
        await foreach (WatchBatch batch in watch.ReadAsync(cancellation))
        {
            ids.UnionWith(batch.Events.Where(told => told.Type == WatchEventType.Changed).Select(told => told.Change!.Task.Id.Value));
            if (ids.Count == count)
                break;
        }

        return ids;
    }
}
