using System.Net;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace GrpcPool.Server.Tests.Hosting;

public sealed class FullDiskTests
{
    private const int Slots = 2;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task A_full_disk_refuses_new_tasks_loses_none_and_is_over_without_a_restart()
    {
        await using SmallDisk disk = await SmallDisk.MountAsync("3m");
        List<string> accepted = [];
        await using (TestServer server = await StartAsync(disk))
        {
            server.Expected = static _ => true;
            var health = new Health.HealthClient(server.Channel);
            using AsyncServerStreamingCall<HealthCheckResponse> watch = health.Watch(new HealthCheckRequest { Service = "grpcpool.v1.TaskPoolService" }, TestServer.Call);
            await UntilAsync(watch, ServingStatus.Serving);

            RpcException refusal = await SubmitUntilRefusedAsync(server, accepted);
            Assert.Equal("STORAGE_FULL", refusal.Detail<ErrorInfo>().Reason);
            Assert.True(refusal.Detail<RetryInfo>().RetryDelay.ToTimeSpan() > TimeSpan.Zero);
            await UntilAsync(watch, ServingStatus.NotServing);
            disk.Fill();
            await AssertNotReadyButAliveAsync(server);
            Assert.Equal(accepted.Count, await server.CountAsync());
            Assert.Equal(TaskState.Running, (await server.GetAsync(accepted[0])).State);
            server.Gate.Open();

            await disk.ResizeAsync("60m");
            await UntilAsync(watch, ServingStatus.Serving);
            foreach (string id in accepted)
                Assert.Equal(TaskState.Succeeded, (await server.EndOfAsync(id)).State);
            await server.RunAsync(new TaskSpec { Kind = "echo" });
        }

        await using TestServer again = await StartAsync(disk);
        Assert.Equal(accepted.Count + 1, await again.CountAsync(TaskState.Succeeded));
    }

    [Fact(Timeout = 60_000)]
    public async Task While_only_the_reserve_is_left_what_runs_ends_and_is_told()
    {
        await using SmallDisk disk = await SmallDisk.MountAsync("60m");
        await using TestServer server = await StartAsync(disk);
        server.Expected = static _ => true;
        await server.SubmitAsync(new TaskSpec { Id = "runs", Kind = "gate" });
        await server.SubmitAsync(new TaskSpec { Id = "begins", Kind = "gate" });
        await server.SubmitAsync(new TaskSpec { Id = "waits", Kind = "echo" });
        using var watch = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter() });
        await watch.UntilSyncedAsync();
        var health = new Health.HealthClient(server.Channel);
        using AsyncServerStreamingCall<HealthCheckResponse> states = health.Watch(new HealthCheckRequest(), TestServer.Call);
        disk.Fill(bytesLeft: 3 << 20);
        await UntilAsync(states, ServingStatus.NotServing);

        server.Gate.Open();
        await watch.UntilAsync(static watch => watch.Tasks.Values.Count(static task => task.State == TaskState.Succeeded) == 3);
        await AssertNotReadyButAliveAsync(server);
    }

    private static Task<TestServer> StartAsync(SmallDisk disk) => TestServer.StartAsync(options =>
    {
        options.Storage.Type = StorageType.Sqlite;
        options.Storage.Path = disk["grpcpool.db"];
        options.Pool.Slots = Slots;
    });

    private static async Task<RpcException> SubmitUntilRefusedAsync(TestServer server, List<string> accepted)
    {
        ByteString payload = ByteString.CopyFrom(new byte[50_000]);
        while (true)
        {
            try
            {
                accepted.Add((await server.SubmitAsync(new TaskSpec { Kind = "gate", Payload = payload })).Id);
            }
            catch (RpcException refusal) when (refusal.StatusCode == StatusCode.ResourceExhausted)
            {
                return refusal;
            }
        }
    }

    private static async Task AssertNotReadyButAliveAsync(TestServer server)
    {
        using var http = new HttpClient();
        using HttpResponseMessage ready = await http.GetAsync(new Uri(server.OpsAddress, "readyz"), Stop);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains("the store is in trouble", await ready.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal("ok\n", await http.GetStringAsync(new Uri(server.OpsAddress, "livez"), Stop));
        SubmitBatchResponse batch = await server.Client.SubmitBatchAsync(new SubmitBatchRequest { Tasks = { new TaskSpec { Kind = "gate" } } }, TestServer.Call);
        Assert.Equal(((int)StatusCode.ResourceExhausted, "STORAGE_FULL"), (batch.Results[0].Error.Code, batch.Results[0].Error.Reason));
    }

    private static async Task UntilAsync(AsyncServerStreamingCall<HealthCheckResponse> watch, ServingStatus status)
    {
        do
            Assert.True(await watch.ResponseStream.MoveNext(Stop));
        while (watch.ResponseStream.Current.Status != status);
    }
}
