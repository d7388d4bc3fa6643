using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class WatchTests
{
    [Fact(Timeout = 20_000)]
    public async Task A_watch_by_ids_tells_snapshot_synced_changes_and_ends_with_the_last_task()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "gate" });
        await server.SubmitAsync(new TaskSpec { Id = "b", Kind = "gate" });
        (await server.Gate.NextStartAsync()).ReportProgress(0.5);
        await server.Gate.NextStartAsync();
        using var watch = new Followed(server, new WatchRequest { Ids = { "a", "b", "a" } });
        await watch.UntilSyncedAsync();
        Assert.Equal([WatchEventType.Snapshot, WatchEventType.Snapshot, WatchEventType.Synced], watch.Events.Select(static told => told.Type));
        Assert.Single(watch.Events, static told => told.Task?.Progress?.Fraction == 0.5);
        server.Gate.Open();
        await watch.UntilEndAsync();
        Assert.Equal([TaskState.Succeeded, TaskState.Succeeded], watch.Tasks.Values.Select(static task => task.State));
        Assert.Equal(watch.Tasks.Values.Max(static task => task.Revision), watch.Revision);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_watch_of_finished_tasks_ends_after_the_snapshot()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.RunAsync(new TaskSpec { Id = "a", Kind = "echo" });
        using var watch = new Followed(server, new WatchRequest { Ids = { "a" } });
        await watch.UntilEndAsync();
        Assert.Equal([WatchEventType.Snapshot, WatchEventType.Synced], watch.Events.Select(static told => told.Type));

        using var without = new Followed(server, new WatchRequest { Ids = { "a" }, SkipSnapshot = true });
        await without.UntilEndAsync();
        Assert.Equal([WatchEventType.Synced], without.Events.Select(static told => told.Type));
    }

    [Theory(Timeout = 20_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_unknown_id_is_not_found_before_any_event(bool skipSnapshot)
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "gate" });
        using var watch = new Followed(server, new WatchRequest { Ids = { "a", "nobody" }, SkipSnapshot = skipSnapshot });
        RpcException refusal = await watch.UntilRefusedAsync(StatusCode.NotFound);
        Assert.Equal("nobody", refusal.Detail<ErrorInfo>().Metadata["id"]);
        Assert.Empty(watch.Messages);
    }

    [Fact(Timeout = 20_000)]
    public async Task Progress_is_told_with_an_unchanged_version()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "gate" });
        var attempt = await server.Gate.NextStartAsync();
        using var watch = new Followed(server, new WatchRequest { Ids = { "a" } });
        await watch.UntilSyncedAsync();
        (long version, long revision) = (watch.Tasks["a"].Version, watch.Revision);
        attempt.ReportProgress(0.5, "half");
        await watch.UntilAsync(static watch => watch.Events[^1].Type == WatchEventType.Progress);
        Assert.Equal((version, 0.5, "half"), (watch.Tasks["a"].Version, watch.Tasks["a"].Progress.Fraction, watch.Tasks["a"].Progress.Message));
        Assert.Equal(revision, watch.Revision);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_filter_by_states_restricts_only_the_snapshot()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.RunAsync(new TaskSpec { Id = "old", Kind = "echo", Labels = { ["tenant"] = "a" } });
        await server.SubmitAsync(new TaskSpec { Id = "runs", Kind = "gate", Labels = { ["tenant"] = "a" } });
        await server.Gate.NextStartAsync();
        using var watch = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter { States = { TaskState.Running }, Labels = { ["tenant"] = "a" } } });
        await watch.UntilSyncedAsync();
        Assert.Equal(["runs"], watch.Tasks.Keys);
        await server.RunAsync(new TaskSpec { Id = "new", Kind = "echo", Labels = { ["tenant"] = "a" } });
        await server.RunAsync(new TaskSpec { Id = "others", Kind = "echo", Labels = { ["tenant"] = "b" } });
        server.Gate.Open();
        await watch.UntilAsync(static watch => watch.Tasks.Count == 2 && watch.Tasks.Values.All(static task => task.State == TaskState.Succeeded));
        Assert.Equal(["new", "runs"], watch.Tasks.Keys.Order());
    }

    [Fact(Timeout = 20_000)]
    public async Task A_deleted_task_is_told_to_whoever_watches()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.RunAsync(new TaskSpec { Id = "a", Kind = "echo" });
        await server.SubmitAsync(new TaskSpec { Id = "b", Kind = "gate" });
        using var byFilter = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter() });
        await byFilter.UntilSyncedAsync();
        await server.Client.DeleteAsync(new DeleteRequest { Id = "a" }, TestServer.Call);
        await byFilter.UntilAsync(static watch => watch.Events[^1].Type == WatchEventType.Deleted);
        Assert.Equal(("a", "default", TaskState.Unspecified), (byFilter.Events[^1].Task.Id, byFilter.Events[^1].Task.Namespace, byFilter.Events[^1].Task.State));
        Assert.Equal(["b"], byFilter.Tasks.Keys);
    }

    [Fact(Timeout = 20_000)]
    public async Task An_idle_stream_has_a_heartbeat()
    {
        await using TestServer server = await TestServer.StartAsync();
        using var watch = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter(), Heartbeat = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) });
        await watch.UntilAsync(static watch => watch.HeartbeatCount == 2);
        Assert.True(watch.Revision > 0);
    }

    /// <summary>Little at first, and then twice as much with each message that was read: 16, 16, 32, 64, 128, and the rest.</summary>
    [Fact(Timeout = 20_000)]
    public async Task What_is_pending_goes_out_in_few_messages()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitManyAsync(500, new TaskSpec { Kind = "gate" });
        using var watch = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter() });
        await watch.UntilSyncedAsync();
        Assert.Equal(500, watch.Tasks.Count);
        Assert.InRange(watch.Messages.Count, 1, 8);
    }

    [Fact(Timeout = 30_000)]
    public async Task Large_payloads_are_cut_into_messages()
    {
        await using TestServer server = await TestServer.StartAsync();
        var payload = ByteString.CopyFrom(new byte[1_000_000]);
        for (int i = 0; i < 8; i++)
            await server.RunAsync(new TaskSpec { Id = $"t{i}", Kind = "echo", Payload = payload });
        using var watch = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter(), View = TaskView.Full });
        await watch.UntilSyncedAsync();
        await server.SubmitManyAsync(3, new TaskSpec { Kind = "echo", Payload = payload }, "late");
        await watch.UntilAsync(static watch => watch.Tasks.Count == 11 && watch.Tasks.Values.All(static task => task.State == TaskState.Succeeded));
        Assert.All(watch.Tasks.Values, static task => Assert.Equal((1_000_000, 1_000_000), (task.Payload.Length, task.Result.Length)));
    }

    [Fact(Timeout = 20_000)]
    public async Task Each_broken_rule_of_a_watch_names_its_field()
    {
        await using TestServer server = await TestServer.StartAsync();
        (string Field, WatchRequest Request)[] broken =
        [
            ("ids", new WatchRequest()),
            ("ids", new WatchRequest { Ids = { "a" }, Filter = new V1.TaskFilter() }),
            ("ids", new WatchRequest { Ids = { Enumerable.Range(0, 1001).Select(static i => $"t{i}") } }),
            ("ids[1]", new WatchRequest { Ids = { "a", "b c" } }),
            ("after_revision", new WatchRequest { Ids = { "a" }, AfterRevision = -1 }),
            ("heartbeat", new WatchRequest { Ids = { "a" }, Heartbeat = new Duration { Nanos = 999_999_999 } }),
            ("heartbeat", new WatchRequest { Ids = { "a" }, Heartbeat = new Duration { Seconds = 3601 } }),
            ("filter.states", new WatchRequest { Filter = new V1.TaskFilter { States = { TaskState.Unspecified } } }),
            ("filter.queues", new WatchRequest { Filter = new V1.TaskFilter { Queues = { "Q" } } }),
            ("filter.kinds", new WatchRequest { Filter = new V1.TaskFilter { Kinds = { "" } } }),
            ("filter.labels", new WatchRequest { Filter = new V1.TaskFilter { Labels = { ["A"] = "" } } }),
            ("filter.parent_id", new WatchRequest { Filter = new V1.TaskFilter { ParentId = " " } }),
            ("filter.submitted_after", new WatchRequest { Filter = new V1.TaskFilter { SubmittedAfter = new Timestamp { Seconds = long.MaxValue } } }),
            ("filter.submitted_before", new WatchRequest { Filter = new V1.TaskFilter { SubmittedBefore = new Timestamp { Nanos = -1 } } }),
        ];
        foreach ((string field, WatchRequest request) in broken)
            Assert.Equal([field], Refused.FieldsOf(await Refused.WithAsync(StatusCode.InvalidArgument, server.Client.Watch(request, TestServer.Call))));
    }

    [Fact(Timeout = 20_000)]
    public async Task Too_many_watches_are_refused()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Limits.Watchers = 1);
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "gate" });
        using (var first = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter() }))
        {
            await first.UntilSyncedAsync();
            using var second = new Followed(server, new WatchRequest { Ids = { "a" } });
            RpcException refusal = await second.UntilRefusedAsync(StatusCode.ResourceExhausted);
            Assert.Equal("Limits:Watchers", refusal.Detail<ErrorInfo>().Metadata["setting"]);
        }
    }
}
