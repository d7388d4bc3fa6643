using GrpcPool.Client;
using GrpcPool.Server.Hosting;
using GrpcPool.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace GrpcPool.Cli.Commands.Demo;

/// <summary>The demo's server, on a free port, and a client of its public API. Disposal drains it.</summary>
internal sealed class DemoServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly GrpcPoolClient _client;

    private DemoServer(WebApplication app)
    {
        _app = app;
        Address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        _client = new GrpcPoolClient(new GrpcPoolClientOptions { Address = new Uri(Address) });
    }

    public string Address { get; }

    public TaskPoolService.TaskPoolServiceClient Client => _client.Service;

    public static async Task<DemoServer> StartAsync(DemoFolder folder, DemoPrograms programs, CancellationToken cancellationToken)
    {
        var listen = new ListenOptions { Grpc = "http://127.0.0.1:0", Http = "", Ops = "" };
        WebApplication app = PoolHost.Build(DemoSettings.Create(folder, programs), listen, LogWarnings);
        try
        {
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
            return new DemoServer(app);
        }
        catch
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.StopAsync().ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private static void LogWarnings(WebApplicationBuilder builder)
    {
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }
}
