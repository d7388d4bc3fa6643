using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Access;
using GrpcPool.Server.Hosting;
using GrpcPool.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Tests.Infrastructure;

/// <summary>
/// The real server on free ports, with the built-in kinds, the kind <c>gate</c> that the test controls, <c>stubborn</c>, which does not end when asked, and <c>shell</c>,
/// whose payload is a script. A test whose server has logged an error fails.
/// </summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestServer(WebApplication app, LogRecorder log, Gate gate, Gate stubborn)
    {
        (_app, Log, Gate, Stubborn) = (app, log, gate, stubborn);
        Uri[] addresses = [.. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(static a => new Uri(a))];
        (GrpcAddress, HttpAddress, OpsAddress) = (addresses[0], addresses[1], addresses[2]);
        Channel = Connect();
        Client = new TaskPoolService.TaskPoolServiceClient(Channel);
    }

    /// <summary>The options of a call: it ends with the test.</summary>
    public static CallOptions Call => new(cancellationToken: TestContext.Current.CancellationToken);

    public Uri GrpcAddress { get; }

    public Uri HttpAddress { get; }

    public Uri OpsAddress { get; }

    public LogRecorder Log { get; }

    /// <summary>The errors in the log that do not fail the test; none by default.</summary>
    public Func<LogEntry, bool> Expected { get; set; } = static _ => false;

    public Gate Gate { get; }

    public Gate Stubborn { get; }

    public GrpcChannel Channel { get; }

    public TaskPoolService.TaskPoolServiceClient Client { get; }

    public TaskPool Pool => _app.Services.GetRequiredService<TaskPool>();

    public static async Task<TestServer> StartAsync(Action<GrpcPoolOptions>? configure = null, TimeProvider? time = null, string? socket = null, Action<AccessOptions>? access = null, Action<ListenOptions>? listening = null)
    {
        var allowed = new AccessOptions();
        access?.Invoke(allowed);
        var options = new GrpcPoolOptions { Storage = { Type = StorageType.Memory }, Pool = { DrainTimeout = TimeSpan.Zero } };
        configure?.Invoke(options);
        var listen = new ListenOptions { Grpc = "http://127.0.0.1:0", Http = "http://127.0.0.1:0", Ops = "http://127.0.0.1:0", Socket = socket };
        listening?.Invoke(listen);
        (LogRecorder log, Gate gate, Gate stubborn) = (new(), new(), new(stubborn: true));
        WebApplication app = PoolHost.Build(options, listen, builder =>
        {
            builder.Logging.AddProvider(log);
            builder.Services.AddSingleton(time ?? TimeProvider.System);
            builder.Services.AddSingleton(new HandlerRegistry(Handlers(gate, stubborn, time ?? TimeProvider.System)));
        }, allowed);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new TestServer(app, log, gate, stubborn);
    }

    /// <summary>Every RPC that the server has.</summary>
    public IMethod[] Rpcs =>
    [
        .. ((IEndpointRouteBuilder)_app).DataSources.SelectMany(static source => source.Endpoints).Select(static endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method)
            .OfType<IMethod>().DistinctBy(static method => method.FullName),
    ];

    /// <summary>Calls that bear a token.</summary>
    public CallInvoker As(string token) => Channel.Intercept(metadata => [.. metadata, new Metadata.Entry("authorization", $"Bearer {token}")]);

    /// <summary>Another connection.</summary>
    public GrpcChannel Connect() => GrpcChannel.ForAddress(GrpcAddress, new GrpcChannelOptions { MaxReceiveMessageSize = 3_670_016 });

    /// <summary>Shuts the server down, as SIGTERM does.</summary>
    public Task StopAsync() => _app.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        Gate.Open();
        Stubborn.Open();
        Channel.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        Assert.DoesNotContain(Log.Errors, entry => !Expected(entry));
    }

    private static IEnumerable<KeyValuePair<string, HandlerEntry>> Handlers(Gate gate, Gate stubborn, TimeProvider time)
    {
        yield return new("echo", new HandlerEntry(new EchoHandler(), null, HandlerRegistry.DefaultKillAfter));
        yield return new("fail", new HandlerEntry(new FailHandler(), null, HandlerRegistry.DefaultKillAfter));
        yield return new("sleep", new HandlerEntry(new SleepHandler(time), null, HandlerRegistry.DefaultKillAfter));
        yield return new("gate", new HandlerEntry(gate, null, HandlerRegistry.DefaultKillAfter));
        yield return new("shell", new HandlerEntry(new CommandHandler(new CommandOptions { Command = "/bin/sh" }, 1 << 20, time), null, HandlerRegistry.DefaultKillAfter));
        yield return new("stubborn", new HandlerEntry(stubborn, null, HandlerRegistry.DefaultKillAfter));
    }
}
