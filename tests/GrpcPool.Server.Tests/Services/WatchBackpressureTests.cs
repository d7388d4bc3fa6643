using Google.Protobuf;
using Grpc.Core;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Tests.Services;

public sealed class WatchBackpressureTests
{
    [Fact(Timeout = 60_000)]
    public async Task A_slow_watcher_of_five_thousand_tasks_sees_every_final_state()
    {
        await using TestServer server = await TestServer.StartAsync();
        using var watch = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter() });
        await watch.UntilSyncedAsync();

        // It reads a message for every hundred tasks that have come and gone.
        for (int i = 0; i < 50; i++)
        {
            string[] ids = await server.SubmitManyAsync(100, new TaskSpec { Kind = "echo", Headers = { ["h"] = new string('x', 500) } }, $"t{i}-");
            await server.EndOfAsync(ids[^1], TaskView.Basic);
            await watch.ReadAsync();
        }

        await watch.UntilAsync(static watch => watch.Tasks.Count == 5000 && watch.Tasks.Values.All(static task => task.State == TaskState.Succeeded));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(null)]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_watcher_that_has_stopped_reading_is_ended_and_the_others_go_on(int? bytesPerSecond)
    {
        await using TestServer server = await TestServer.StartAsync(static options =>
        {
            options.Limits.WatchWriteTimeout = TimeSpan.FromSeconds(1);
            options.Limits.Watchers = 2;
        });
        using var reading = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter() });
        await reading.UntilSyncedAsync();

        // It shares the connection with the others, or has one of its own that stands still as a whole, or nearly so.
        using var connection = new SlowConnection(server.GrpcAddress);
        TaskPoolService.TaskPoolServiceClient client = bytesPerSecond is null ? server.Client : new(connection.Channel);
        using AsyncServerStreamingCall<WatchResponse> stuck = client.Watch(new WatchRequest { Filter = new V1.TaskFilter(), View = TaskView.Full }, TestServer.Call);
        Assert.True(await stuck.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        connection.BytesPerSecond = bytesPerSecond;

        // Far more than all buffers between the two hold.
        var payload = ByteString.CopyFrom(new byte[500_000]);
        int tasks = 0;
        while (!server.Log.Entries.Any(IsStuck))
        {
            TaskInfo task = await server.SubmitAsync(new TaskSpec { Id = $"t{++tasks}", Kind = "echo", Payload = payload, Retention = new() });
            await reading.UntilAsync(watch => watch.Tasks.GetValueOrDefault(task.Id)?.State == TaskState.Succeeded);
        }

        if (bytesPerSecond is null)
            await Assert.ThrowsAsync<RpcException>(() => UntilEndAsync(stuck));
        await UntilItsPlaceIsFreeAsync(server);
        await server.SubmitAsync(new TaskSpec { Id = "after", Kind = "echo" });
        await reading.UntilAsync(static watch => watch.Tasks.GetValueOrDefault("after")?.State == TaskState.Succeeded);
        Assert.Equal(LogLevel.Information, server.Log.Entries.First(IsStuck).Level);
        Assert.Equal(1, server.Pool.Metrics.Evictions);
    }

    private static bool IsStuck(LogEntry entry) => entry.Message.Contains("has not read", StringComparison.Ordinal);

    private static async Task UntilEndAsync(AsyncServerStreamingCall<WatchResponse> watch)
    {
        while (await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
        {
        }
    }

    private static async Task UntilItsPlaceIsFreeAsync(TestServer server)
    {
        while (true)
        {
            try
            {
                using var next = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter() });
                await next.UntilSyncedAsync();
                return;
            }
            catch (RpcException refusal) when (refusal.StatusCode == StatusCode.ResourceExhausted)
            {
                // Not yet.
            }
        }
    }
}
