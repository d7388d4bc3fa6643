using Grpc.Core;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Hosting;

[Collection(nameof(ServeProcessTests))]
public sealed class DrainTests
{
    [Fact(Timeout = 20_000)]
    public async Task Watches_end_at_once_and_waits_are_answered_when_their_task_ends()
    {
        await using TestServer server = await StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "gate" });
        await server.Gate.NextStartAsync();
        using var byId = new Followed(server, new WatchRequest { Ids = { "a" } });
        using var byFilter = new Followed(server, new WatchRequest { Filter = new TaskFilter() });
        await byId.UntilSyncedAsync();
        await byFilter.UntilSyncedAsync();
        using AsyncUnaryCall<WaitResponse> waiting = server.Client.WaitAsync(new WaitRequest { Id = "a" }, TestServer.Call);
        using AsyncDuplexStreamingCall<SubmitStreamRequest, SubmitStreamResponse> submitting = server.Client.SubmitStream(TestServer.Call);

        Task stopping = server.StopAsync();
        await byId.UntilRefusedAsync(StatusCode.Unavailable);
        await byFilter.UntilRefusedAsync(StatusCode.Unavailable);
        await Refused.WithAsync(StatusCode.Unavailable, submitting.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        await Refused.WithAsync(StatusCode.Unavailable, server.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "echo" } }, TestServer.Call));
        await Refused.WithAsync(StatusCode.Unavailable, server.Client.Watch(new WatchRequest { Ids = { "a" } }, TestServer.Call));
        Assert.Equal(TaskState.Running, (await server.GetAsync("a")).State);
        Assert.False(waiting.ResponseAsync.IsCompleted);

        server.Gate.Open();
        WaitResponse end = await waiting;
        Assert.Equal((true, TaskState.Succeeded), (end.Finished, end.Task.State));
        await stopping;
    }

    [Fact(Timeout = 60_000)]
    public async Task The_last_to_end_is_told_as_well()
    {
        for (int i = 0; i < 10; i++)
        {
            await using TestServer server = await StartAsync();
            await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "gate" });
            await server.Gate.NextStartAsync();
            using AsyncUnaryCall<WaitResponse> waiting = server.Client.WaitAsync(new WaitRequest { Id = "a" }, TestServer.Call);
            using var watch = new Followed(server, new WatchRequest { Ids = { "a" } });
            await watch.UntilSyncedAsync();
            Task stopping = server.StopAsync();
            await watch.UntilRefusedAsync(StatusCode.Unavailable);
            server.Gate.Open();
            Assert.True((await waiting).Finished);
            await stopping;
        }
    }

    [Fact(Timeout = 20_000)]
    public async Task An_attempt_that_outlasts_the_drain_is_given_back()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Pool.DrainTimeout = TimeSpan.FromMilliseconds(300));
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "gate" });
        await server.SubmitAsync(new TaskSpec { Id = "b", Kind = "stubborn" });
        await server.Gate.NextStartAsync();
        await server.Stubborn.NextStartAsync();
        var pool = server.Pool;
        await server.StopAsync();
        foreach (string id in (string[])["a", "b"])
        {
            var task = await pool.FindAsync(new Core.Tasks.TaskId("default", id));
            Assert.Equal((Core.Tasks.TaskState.Queued, 1, 0), (task!.State, task.Attempt, task.Losses));
        }
    }

    [Fact(Timeout = 20_000)]
    public async Task A_stop_with_open_streams_of_every_sort_does_not_take_longer_than_the_drain_allows()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "gate" });
        await server.Gate.NextStartAsync();
        using var reflection = new Grpc.Reflection.V1.ServerReflection.ServerReflectionClient(server.Channel).ServerReflectionInfo(TestServer.Call);
        await reflection.RequestStream.WriteAsync(new Grpc.Reflection.V1.ServerReflectionRequest { ListServices = "" }, TestContext.Current.CancellationToken);
        Assert.True(await reflection.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        using var health = new Grpc.Health.V1.Health.HealthClient(server.Channel).Watch(new Grpc.Health.V1.HealthCheckRequest(), TestServer.Call);
        using AsyncServerStreamingCall<SubmitAndWatchResponse> submitted = server.Client.SubmitAndWatch(new SubmitAndWatchRequest { Task = new TaskSpec { Kind = "gate" } }, TestServer.Call);
        Assert.True(await submitted.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        using AsyncUnaryCall<WaitResponse> waiting = server.Client.WaitAsync(new WaitRequest { Id = "a" }, TestServer.Call);

        long start = TimeProvider.System.GetTimestamp();
        await server.StopAsync();
        Assert.InRange(TimeProvider.System.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(4));
    }

    private static Task<TestServer> StartAsync() => TestServer.StartAsync(static options => options.Pool.DrainTimeout = TimeSpan.FromSeconds(15));
}
