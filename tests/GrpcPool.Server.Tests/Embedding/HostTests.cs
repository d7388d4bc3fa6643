using Google.Protobuf;
using Grpc.Core;
using Grpc.Health.V1;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Hosting.Settings;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace GrpcPool.Server.Tests.Embedding;

public sealed class HostTests
{
    private const int TimeoutMs = 30_000;

    /// <summary>More than the pool takes.</summary>
    private const int LargeMessage = 5 << 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void Everything_wrong_in_configuration_code_and_handlers_is_told_at_once()
    {
        WebApplicationBuilder builder = EmbeddedHost.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["GrpcPool:Pool:Slotz"] = "8", ["GrpcPool:Retry:Jitter"] = "2" });
        builder.Services.AddGrpcPool(builder.Configuration.GetSection("GrpcPool"))
            .AddHandler<DivideHandler>("divide", static handler => handler.RunTimeout = TimeSpan.Zero)
            .AddHandler<DivideHandler>("Divide");
        builder.Services.AddGrpcPool(static options => options.Pool.Slots = 0);

        string[] lines = Assert.Throws<SettingsException>(builder.Build).Message.Split("\n  ");
        Assert.Equal("5 settings are wrong:", lines[0]);
        Assert.Equal(["Handlers:Divide", "Handlers:divide:RunTimeout", "Pool:Slots", "Pool:Slotz", "Retry:Jitter"], lines[1..].Select(static line => line.Split(' ')[0]));
    }

    [Fact]
    public void A_kind_has_one_handler_and_whoever_claims_it_is_named()
    {
        WebApplicationBuilder builder = EmbeddedHost.CreateBuilder();
        builder.Services.AddGrpcPool(static options => options.Commands["throw"] = new CommandOptions { Command = Environment.ProcessPath! })
            .AddHandler<WaitingHandler>("divide")
            .AddHandler<DivideHandler>("divide")
            .AddHandler<DivideHandler>("echo")
            .AddHandler<ThrowingHandler>("throw");
        builder.Services.AddSingleton<Attempts>().AddSingleton<Disposals>().AddScoped<Repository>();

        string message = Assert.Throws<SettingsException>(builder.Build).Message;
        string space = typeof(DivideHandler).Namespace!;
        Assert.Contains($"Handlers:divide has more than one handler: {space}.WaitingHandler and {space}.DivideHandler;", message);
        Assert.Contains($"Handlers:echo has more than one handler: the built-in one (unless BuiltInKinds is false) and {space}.DivideHandler;", message);
        Assert.Contains($"Handlers:throw has more than one handler: the command {Environment.ProcessPath} and {space}.ThrowingHandler;", message);
    }

    [Fact]
    public async Task Configuration_and_code_make_one_pool_and_code_has_the_last_word()
    {
        WebApplicationBuilder builder = EmbeddedHost.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["GrpcPool:Pool:Slots"] = "3", ["GrpcPool:Pool:Capacity"] = "4" });
        builder.Services.AddGrpcPool(builder.Configuration.GetSection("GrpcPool"));
        builder.Services.AddGrpcPool(static options => options.Pool.Slots = 5);
        await using WebApplication app = builder.Build();
        PoolOptions pool = app.Services.GetRequiredService<GrpcPoolOptions>().Pool;
        Assert.Equal((5, 4), (pool.Slots, pool.Capacity));
    }

    [Theory]
    [InlineData(60, 62)]
    [InlineData(1, 30)]
    public async Task The_host_waits_for_the_drain_and_is_never_made_less_patient(int drain, int patience)
    {
        WebApplicationBuilder builder = EmbeddedHost.CreateBuilder();
        builder.Services.AddGrpcPool(options => options.Pool.DrainTimeout = TimeSpan.FromSeconds(drain));
        await using WebApplication app = builder.Build();
        Assert.Equal(TimeSpan.FromSeconds(patience), app.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_health_check_is_healthy_while_the_pool_is_open()
    {
        WebApplicationBuilder builder = EmbeddedHost.CreateBuilder();
        builder.Services.AddGrpcPool();
        builder.Services.AddHealthChecks().AddGrpcPool();
        await using WebApplication app = builder.Build();
        HealthCheckService checks = app.Services.GetRequiredService<HealthCheckService>();
        Assert.Equal(HealthStatus.Unhealthy, (await checks.CheckHealthAsync(Stop)).Status);
        await app.StartAsync(Stop);
        Assert.Equal(HealthStatus.Healthy, (await checks.CheckHealthAsync(Stop)).Entries["grpcpool"].Status);
        await app.StopAsync(Stop);
        Assert.Equal("the pool is Closed", (await checks.CheckHealthAsync(Stop)).Entries["grpcpool"].Description);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Grpc_health_is_answered()
    {
        await using EmbeddedHost host = await EmbeddedHost.StartAsync(static _ => { });
        HealthCheckResponse response = await new Health.HealthClient(host.Channel).CheckAsync(new HealthCheckRequest(), TestServer.Call);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, response.Status);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_service_of_the_host_keeps_its_own_errors_and_limits()
    {
        await using EmbeddedHost host = await EmbeddedHost.StartAsync(
            static pool => pool.Services.AddGrpc(static grpc => grpc.MaxReceiveMessageSize = null),
            static app => app.MapGrpcService<OwnHealth>(),
            health: false);
        var client = new Health.HealthClient(host.Channel);
        RpcException fault = await Refused.WithAsync(StatusCode.Unknown, client.CheckAsync(new HealthCheckRequest(), TestServer.Call));
        Assert.Equal("Exception was thrown by handler.", fault.Status.Detail);
        HealthCheckResponse response = await client.CheckAsync(new HealthCheckRequest { Service = new string('x', LargeMessage) }, TestServer.Call);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.ServiceUnknown, response.Status);

        var large = new TaskSpec { Kind = "echo", Payload = ByteString.CopyFrom(new byte[LargeMessage]) };
        await Refused.WithAsync(StatusCode.ResourceExhausted, host.Client.SubmitAsync(new SubmitRequest { Task = large }, TestServer.Call));
        await Refused.WithAsync(StatusCode.NotFound, host.Client.GetStatusAsync(new GetStatusRequest { Id = "nobody" }, TestServer.Call));
    }

    [Fact]
    public async Task Conventions_hold_for_every_endpoint_of_the_pool()
    {
        WebApplicationBuilder builder = EmbeddedHost.CreateBuilder();
        builder.Services.AddGrpcPool();
        await using WebApplication app = builder.Build();
        app.MapGrpcPool().WithMetadata("marked");
        RouteEndpoint[] endpoints = [.. ((IEndpointRouteBuilder)app).DataSources.SelectMany(static source => source.Endpoints).Cast<RouteEndpoint>()];
        Assert.Contains(endpoints, static endpoint => endpoint.RoutePattern.RawText == "/grpcpool.v1.TaskPoolService/Submit");
        Assert.Contains(endpoints, static endpoint => endpoint.RoutePattern.RawText == "/grpc.health.v1.Health/Check");
        Assert.All(endpoints, static endpoint => Assert.Equal("marked", endpoint.Metadata.GetMetadata<string>()));
    }

    /// <summary>A service of the host's own, in place of the pool's.</summary>
    private sealed class OwnHealth : Health.HealthBase
    {
        public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context) => request.Service.Length == 0
            ? throw new InvalidOperationException("broken")
            : Task.FromResult(new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.ServiceUnknown });
    }
}
