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
