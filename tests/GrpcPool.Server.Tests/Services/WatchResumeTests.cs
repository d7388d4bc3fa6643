using Grpc.Core;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class WatchResumeTests
{
    [Fact(Timeout = 20_000)]
    public async Task A_resumed_watch_tells_what_changed_meanwhile_without_a_snapshot()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "gate" });
        await server.RunAsync(new TaskSpec { Id = "old", Kind = "echo" });
        long revision = await SyncAsync(server);
        await server.RunAsync(new TaskSpec { Id = "b", Kind = "echo" });
        server.Gate.Open();
        await server.EndOfAsync("a");

        using var resumed = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter(), AfterRevision = revision });
        await resumed.UntilAsync(static watch => watch.Tasks.Count == 2);
        Assert.All(resumed.Events, static told => Assert.Equal((WatchEventType.Changed, TaskState.Succeeded), (told.Type, told.Task.State)));
        Assert.Equal(["a", "b"], resumed.Tasks.Keys.Order());
    }

    [Fact(Timeout = 20_000)]
    public async Task A_resumed_watch_by_ids_tells_what_is_gone_and_ends()
    {
        await using TestServer server = await TestServer.StartAsync();
        foreach (string id in (string[])["a", "b", "c"])
            await server.RunAsync(new TaskSpec { Id = id, Kind = "fail" });
        long revision = await SyncAsync(server);
        await server.Client.DeleteAsync(new DeleteRequest { Id = "a" }, TestServer.Call);
        await server.Client.RetryAsync(new RetryRequest { Id = "b" }, TestServer.Call);
        await server.EndOfAsync("b");

        using var resumed = new Followed(server, new WatchRequest { Ids = { "a", "b", "c" }, AfterRevision = revision });
        await resumed.UntilEndAsync();
        Assert.Equal(["a DELETED", "b CHANGED"], resumed.Events.Select(static told => $"{told.Task.Id} {told.Type.ToString().ToUpperInvariant()}").Order());
    }

    [Fact(Timeout = 20_000)]
    public async Task A_revision_that_is_not_known_is_out_of_range()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Limits.WatchHistory = 10);
        long revision = await SyncAsync(server);
        await server.SubmitManyAsync(20, new TaskSpec { Kind = "gate" });
        long newest = await SyncAsync(server);
        foreach (long unknown in (long[])[1, revision - 1, revision, newest + 1_000_000])
        {
            using var byFilter = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter(), AfterRevision = unknown });
            await byFilter.UntilRefusedAsync(StatusCode.OutOfRange);
            using var byId = new Followed(server, new WatchRequest { Ids = { "t1" }, AfterRevision = unknown });
            await byId.UntilRefusedAsync(StatusCode.OutOfRange);
        }

        using var known = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter(), AfterRevision = newest });
        await known.UntilAsync(static watch => watch.Messages.Count > 0);
    }

    /// <summary>The answer to a call may reach its client before watchers have been told of the change.</summary>
    [Fact(Timeout = 30_000)]
    public async Task The_revision_of_a_task_just_submitted_is_known()
    {
        await using TestServer server = await TestServer.StartAsync();
        for (int i = 0; i < 300; i++)
        {
            TaskInfo task = await server.SubmitAsync(new TaskSpec { Kind = "gate", Queue = "q" });
            using var watch = new Followed(server, new WatchRequest { Ids = { task.Id }, AfterRevision = task.Revision });
            Assert.True(await watch.ReadAsync());
        }
    }

    [Fact(Timeout = 20_000)]
    public async Task A_list_tells_whence_to_watch_on()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.RunAsync(new TaskSpec { Id = "a", Kind = "echo" });
        ListResponse list = await server.Client.ListAsync(new ListRequest(), TestServer.Call);
        await server.RunAsync(new TaskSpec { Id = "b", Kind = "echo" });
        using var watch = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter(), AfterRevision = list.Revision });
        await watch.UntilAsync(static watch => watch.Tasks.GetValueOrDefault("b")?.State == TaskState.Succeeded);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_watcher_that_is_cut_off_at_random_sees_every_final_state()
    {
        await using TestServer server = await TestServer.StartAsync();
        Task submitting = SubmitAsync(server);
        var random = new Random(20);
        var final = new Dictionary<string, TaskState>();
        var versions = new Dictionary<string, long>();
        long revision = 0;
        int cuts = 0;
        while (final.Count < 5000)
        {
            using var watch = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter { Kinds = { "echo", "fail" } }, AfterRevision = revision });
            for (int messages = random.Next(1, 12); messages > 0 && final.Count < 5000; messages--)
            {
                int seen = watch.Events.Count;
                Assert.True(await watch.ReadAsync());
                foreach (TaskInfo task in watch.Events.Skip(seen).Where(static told => told.Task is not null).Select(static told => told.Task))
                {
                    Assert.True(task.Version >= versions.GetValueOrDefault(task.Id), $"{task.Id} went back");
                    versions[task.Id] = task.Version;
                    if (task.State is TaskState.Succeeded or TaskState.Failed)
                        final[task.Id] = task.State;
                }
            }

            revision = watch.Revision;
            cuts++;
        }

        await submitting;
        Assert.True(cuts > 3, $"only {cuts} cuts");
        Assert.Equal(4000, final.Values.Count(static state => state == TaskState.Succeeded));
    }

    private static async Task SubmitAsync(TestServer server)
    {
        for (int i = 0; i < 50; i++)
        {
            await server.SubmitManyAsync(80, new TaskSpec { Kind = "echo" }, $"e{i}-");
            await server.SubmitManyAsync(20, new TaskSpec { Kind = "fail" }, $"f{i}-");
        }
    }

    private static async Task<long> SyncAsync(TestServer server)
    {
        using var watch = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter() });
        await watch.UntilSyncedAsync();
        return watch.Revision;
    }
}
