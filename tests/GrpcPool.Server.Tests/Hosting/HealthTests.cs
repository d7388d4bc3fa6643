using Grpc.Core;
using Grpc.Health.V1;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace GrpcPool.Server.Tests.Hosting;

public sealed class HealthTests
{
    [Theory(Timeout = 20_000)]
    [InlineData("")]
    [InlineData("grpcpool.v1.TaskPoolService")]
    [InlineData("grpcpool.v1.ScheduleService")]
    [InlineData("grpcpool.v1.PoolAdminService")]
    [InlineData("grpc.health.v1.Health")]
    public async Task A_watch_tells_that_a_service_serves_and_then_that_it_drains(string service)
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Pool.DrainTimeout = TimeSpan.FromSeconds(15));
        var client = new Health.HealthClient(server.Channel);
        await server.SubmitAsync(new TaskSpec { Kind = "gate" });
        await server.Gate.NextStartAsync();
        var request = new HealthCheckRequest { Service = service };
        using AsyncServerStreamingCall<HealthCheckResponse> watch = client.Watch(request, TestServer.Call);
        Assert.True(await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal(ServingStatus.Serving, watch.ResponseStream.Current.Status);
        Assert.Equal(ServingStatus.Serving, (await client.CheckAsync(request, TestServer.Call)).Status);

        Task stopping = server.StopAsync();
        Assert.True(await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal(ServingStatus.NotServing, watch.ResponseStream.Current.Status);
        Assert.Equal(ServingStatus.NotServing, (await client.CheckAsync(request, TestServer.Call)).Status);
        server.Gate.Open();
        await stopping;
    }

    [Fact(Timeout = 20_000)]
    public async Task A_service_that_does_not_exist_is_unknown()
    {
        await using TestServer server = await TestServer.StartAsync();
        var client = new Health.HealthClient(server.Channel);
        var request = new HealthCheckRequest { Service = "nobody" };
        await Refused.WithAsync(StatusCode.NotFound, client.CheckAsync(request, TestServer.Call));
        using AsyncServerStreamingCall<HealthCheckResponse> watch = client.Watch(request, TestServer.Call);
        Assert.True(await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal(ServingStatus.ServiceUnknown, watch.ResponseStream.Current.Status);
    }
}
