using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Server.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Hosting;

/// <summary>The server as a whole.</summary>
public static class PoolHost
{
    /// <summary>Runs the server until it is told to stop.</summary>
    /// <param name="options">The settings of the pool.</param>
    /// <param name="listen">Where to listen.</param>
    /// <param name="access">Who may use it.</param>
    /// <param name="cancellationToken">Stops the server.</param>
    /// <exception cref="IOException">An address cannot be listened at.</exception>
    /// <exception cref="StorageException">The store cannot be opened.</exception>
    public static async Task RunAsync(GrpcPoolOptions options, ListenOptions listen, AccessOptions access, CancellationToken cancellationToken)
    {
        WebApplication app = Build(options, listen, ConfigureConsole, access);
        await using (app.ConfigureAwait(false))
        {
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
            await app.WaitForShutdownAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Builds a server without starting it.</summary>
    internal static WebApplication Build(GrpcPoolOptions options, ListenOptions listen, Action<WebApplicationBuilder> configure, AccessOptions? access = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(listen);

        // Nothing but our own settings decides: no appsettings.json, no ASPNETCORE_ variables.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        configure(builder);
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
        builder.Services.AddSingleton<IReloaded>(static host => host.GetRequiredService<TokenBook>());
        builder.Services.AddSingleton<AccessGate>();
        builder.Services.AddHostedService<FileWatch>();
        builder.Services.Configure<SocketTransportOptions>(static sockets => sockets.CreateBoundListenSocket = UnixSocket.Bind);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel => kestrel.ApplicationServices.GetRequiredService<Listeners>().Configure(kestrel));
        WebApplication app = builder.Build();
        app.MapPoolEndpoints();
        app.Services.GetRequiredService<Listeners>().LogWhenStarted(app);
        return app;
    }

    private static void ConfigureConsole(WebApplicationBuilder builder)
    {
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.UseUtcTimestamp = true;
        });
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Grpc.", LogLevel.Warning);

        // It has nothing to say at that level, and as long as it might, each call gets an activity and a log scope.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);

        // The caller tells why a start failed, in one line.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
    }
}
