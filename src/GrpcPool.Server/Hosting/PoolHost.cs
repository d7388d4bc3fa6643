using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Workers.Processes;
using GrpcPool.Server.Access;
using GrpcPool.Server.Observability;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Hosting;

/// <summary>The server as a whole.</summary>
public static class PoolHost
{
    private const string LogTime = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    /// <summary>Runs the server until it is told to stop.</summary>
    /// <param name="options">The settings of the pool.</param>
    /// <param name="listen">Where to listen.</param>
    /// <param name="access">Who may use it.</param>
    /// <param name="telemetry">What it tells of itself.</param>
    /// <param name="cancellationToken">Stops the server.</param>
    /// <exception cref="IOException">An address cannot be listened at.</exception>
    /// <exception cref="StorageException">The store cannot be opened.</exception>
    public static async Task RunAsync(GrpcPoolOptions options, ListenOptions listen, AccessOptions access, TelemetryOptions telemetry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(telemetry);
        WebApplication app = Build(options, listen, builder => ConfigureConsole(builder, telemetry), access, telemetry);
        await using (app.ConfigureAwait(false))
        {
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
            await app.WaitForShutdownAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Builds a server without starting it.</summary>
    internal static WebApplication Build(GrpcPoolOptions options, ListenOptions listen, Action<WebApplicationBuilder> configure, AccessOptions? access = null, TelemetryOptions? telemetry = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(listen);

        // Nothing but our own settings decides: no appsettings.json, no ASPNETCORE_ variables.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        bool scraped = telemetry?.Metrics == true && listen.Ops.Length > 0;
        configure(builder);
        builder.Services.AddTelemetry(telemetry ?? new TelemetryOptions(), scraped);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = TimeSpan.Zero); // The pool takes what it needs, and nobody else needs any.
        builder.Services.AddSingleton(options);
        builder.Services.AddGrpcPool();
        builder.Services.AddReflection();
        builder.Services.AddSingleton(listen);
        builder.Services.AddSingleton<Listeners>();
        builder.Services.AddSingleton<Certificates>();
        builder.Services.AddSingleton<IReloaded>(static host => host.GetRequiredService<Certificates>());
        builder.Services.AddSingleton(access ?? new AccessOptions());
        builder.Services.AddSingleton<TokenBook>();
        builder.Services.AddSingleton<IWorkerPasses>(static host => host.GetRequiredService<TokenBook>());
        builder.Services.AddSingleton<JwtKeys>();
        builder.Services.AddSingleton<JwtBook>();
        builder.Services.AddSingleton<PeerBook>();
        builder.Services.AddSingleton<IReloaded>(static host => host.GetRequiredService<TokenBook>());
        builder.Services.AddSingleton<IReloaded>(static host => host.GetRequiredService<JwtKeys>());
        builder.Services.AddSingleton<AccessGate>();
        builder.Services.AddHostedService<FileWatch>();
        builder.Services.AddHostedService<IdleMemory>();
        builder.Services.Configure<SocketTransportOptions>(static sockets =>
        {
            sockets.CreateBoundListenSocket = UnixSocket.Bind;
            sockets.MaxReadBufferSize = Listeners.ReadAheadMax;

            // A block for each idle connection saves asking the kernel twice whenever data comes.
            sockets.WaitForDataBeforeAllocatingBuffer = false;
        });
        builder.Services.AddSingleton<SocketTransportFactory>();
        builder.Services.AddSingleton<IConnectionListenerFactory>(static host => new PacedTransport(host.GetRequiredService<SocketTransportFactory>(), host.GetRequiredService<TimeProvider>()));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel => kestrel.ApplicationServices.GetRequiredService<Listeners>().Configure(kestrel));
        WebApplication app = builder.Build();

        // The pool comes before its exporters, and so goes after them.
        app.Services.GetRequiredService<Listeners>().LogWhenStarted(app);
        app.MapPoolEndpoints(scraped);
        return app;
    }

    private static void ConfigureConsole(WebApplicationBuilder builder, TelemetryOptions telemetry)
    {
        builder.Logging.SetMinimumLevel(telemetry.LogLevel);
        if (telemetry.LogFormat == LogFormat.Json)
        {
            builder.Logging.AddJsonConsole(console => (console.TimestampFormat, console.UseUtcTimestamp, console.IncludeScopes) = (LogTime, true, true));
            builder.Logging.Configure(static logs => logs.ActivityTrackingOptions = ActivityTrackingOptions.TraceId | ActivityTrackingOptions.SpanId);
        }
        else
        {
            builder.Logging.AddSimpleConsole(console => (console.TimestampFormat, console.UseUtcTimestamp, console.SingleLine) = ($"{LogTime} ", true, true));
        }

        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Grpc.", LogLevel.Warning);

        // It has nothing to say at that level, and as long as it might, each call gets an activity and a log scope.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);

        // Whoever sends calls and reads no answers could have a line written for each; ConnectionLimit tells of such connections.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel.Http2", LogLevel.None);

        // What is worth a line is logged by ErrorInterceptor; the rest is what callers send, one line and one stack for each.
        builder.Logging.AddFilter("Grpc.AspNetCore.Server.ServerCallHandler", LogLevel.None);

        // The caller tells why a start failed, in one line.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
    }
}
