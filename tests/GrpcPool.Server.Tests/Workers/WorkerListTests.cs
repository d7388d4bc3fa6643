using Grpc.Core;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Workers;

public sealed class WorkerListTests
{
    private const int TimeoutMs = 20_000;

    [Fact(Timeout = TimeoutMs)]
    public async Task Workers_are_listed_in_pages_and_one_is_told_to_leave()
    {
        await using TestServer server = await TestServer.StartAsync();
        var admin = new PoolAdminService.PoolAdminServiceClient(server.Channel);
        var workers = new List<(AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> Stream, string Id)>();
        for (int i = 0; i < 3; i++)
            workers.Add(await ConnectAsync(server, $"w{i}"));
        ListWorkersResponse first = await admin.ListWorkersAsync(new ListWorkersRequest { PageSize = 2 }, TestServer.Call);
        ListWorkersResponse rest = await admin.ListWorkersAsync(new ListWorkersRequest { PageSize = 2, PageToken = first.NextPageToken }, TestServer.Call);
        WorkerInfo[] listed = [.. first.Workers, .. rest.Workers];
        Assert.Equal((2, 1, ""), (first.Workers.Count, rest.Workers.Count, rest.NextPageToken));
        Assert.Equal(["w0", "w1", "w2"], listed.Select(static worker => worker.Name).Order(StringComparer.Ordinal));
        WorkerInfo shown = listed.Single(static worker => worker.Name == "w1");
        Assert.Equal((workers[1].Id, "remote", 4, 0, "eu", false, true), (shown.WorkerId, Assert.Single(shown.Kinds), shown.Slots, shown.SlotsInUse, shown.Labels["zone"], shown.Draining, shown.Connected));

        Assert.True((await admin.DrainWorkerAsync(new DrainWorkerRequest { WorkerId = workers[1].Id }, TestServer.Call)).Worker.Draining);
        while ((await NextAsync(workers[1].Stream)).Drain is null)
        {
        }

        WorkerTotals totals = (await admin.GetPoolAsync(new GetPoolRequest(), TestServer.Call)).Pool.Workers;
        Assert.Equal(new WorkerTotals { Count = 3, Draining = 1, Slots = 12, SlotsInUse = 0 }, totals);
        workers.ForEach(static worker => worker.Stream.Dispose());
    }

    private static async Task<(AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> Stream, string Id)> ConnectAsync(TestServer server, string name)
    {
        AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> stream = new WorkerService.WorkerServiceClient(server.Channel).Connect(TestServer.Call);
        var hello = new Hello { WorkerName = name, Kinds = { "remote" }, Slots = 4, Labels = { ["zone"] = "eu" } };
        await stream.RequestStream.WriteAsync(new ConnectRequest { Hello = hello }, TestContext.Current.CancellationToken);
        return (stream, (await NextAsync(stream)).Welcome.WorkerId);
    }

    private static async Task<ConnectResponse> NextAsync(AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> stream)
    {
        Assert.True(await stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        return stream.ResponseStream.Current;
    }
}
