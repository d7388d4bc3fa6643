using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Tests.Embedding;

/// <summary>An ASP.NET application of its own with a pool in it, on a free port.</summary>
internal sealed class EmbeddedHost : IAsyncDisposable
{
    private EmbeddedHost(WebApplication app)
    {
        App = app;
        Channel = GrpcChannel.ForAddress(app.Urls.Single());
        Client = new TaskPoolService.TaskPoolServiceClient(Channel);
    }

    public WebApplication App { get; }

    public GrpcChannel Channel { get; }

    public TaskPoolService.TaskPoolServiceClient Client { get; }

    public static WebApplicationBuilder CreateBuilder()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Logging.ClearProviders();
        builder.Services.Configure<GrpcPoolOptions>(static options => options.Storage.Type = StorageType.Memory);
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0, static listener => listener.Protocols = HttpProtocols.Http2));
        return builder;
    }

    /// <summary>Starts a host with a pool.</summary>
    /// <param name="add">Adds handlers to the pool, and services to the host.</param>
    /// <param name="map">Maps what is not of the pool.</param>
    /// <param name="health">Whether the pool's health service is mapped.</param>
    public static async Task<EmbeddedHost> StartAsync(Action<GrpcPoolBuilder> add, Action<WebApplication>? map = null, bool health = true)
    {
        WebApplicationBuilder builder = CreateBuilder();
        add(builder.Services.AddGrpcPool(static options => options.Pool.DrainTimeout = TimeSpan.FromSeconds(15)));
        WebApplication app = builder.Build();
        app.MapGrpcPool(health);
        map?.Invoke(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new EmbeddedHost(app);
    }

    /// <summary>Submits a task and follows it to its end.</summary>
    public async Task<TaskInfo> RunAsync(TaskSpec task)
    {
        var request = new SubmitAndWatchRequest { Task = task, View = TaskView.Full };
        using AsyncServerStreamingCall<SubmitAndWatchResponse> call = Client.SubmitAndWatch(request, TestServer.Call);
        TaskInfo? last = null;
        await foreach (SubmitAndWatchResponse message in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
            last = message.Events.LastOrDefault(static told => told.Task is not null)?.Task ?? last;

        return last!;
    }

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        await App.StopAsync(CancellationToken.None);
        await App.DisposeAsync();
    }
}
