using GrpcPool.Core.Hosting;
using GrpcPool.Core.Workers.Processes;
using GrpcPool.Server.Hosting;
using GrpcPool.Server.Services;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

// Where the methods of this sort are looked for, and where every ASP.NET application has its usings already.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the pool to a host.</summary>
public static class GrpcPoolServiceCollectionExtensions
{
    /// <summary>How long after the drain a shutdown may still take: to answer, to end connections.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Adds the pool: it opens before the host listens, and when the host stops, it drains for at most <see cref="PoolOptions.DrainTimeout"/>. The host's
    /// <see cref="HostOptions.ShutdownTimeout"/> is raised to 2 s more than that, where it is shorter. Its clock is the host's <see cref="TimeProvider"/>, if it has one.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Sets the settings. Called again, and <c>Configure&lt;GrpcPoolOptions&gt;</c>, sets further ones: there is one pool.</param>
    /// <returns>Adds handlers.</returns>
    /// <remarks>Wrong settings end the host's start with a <see cref="GrpcPool.Core.Hosting.Settings.SettingsException"/> that names every violation.</remarks>
    public static GrpcPoolBuilder AddGrpcPool(this IServiceCollection services, Action<GrpcPoolOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddTaskStore();
        services.AddPool();
        services.AddPoolServices();
        services.TryAddSingleton<IServerAddress, BoundAddress>();
        services.AddOptions<HostOptions>().PostConfigure<GrpcPoolOptions>(static (host, options) =>
        {
            TimeSpan needed = options.Pool.DrainTimeout + CloseTimeout;
            if (host.ShutdownTimeout < needed)
                host.ShutdownTimeout = needed;
        });
        if (configure is not null)
            services.Configure(configure);
        return new GrpcPoolBuilder(services);
    }

    /// <summary>Adds the pool with settings from the host's configuration; otherwise as <see cref="AddGrpcPool(IServiceCollection, Action{GrpcPoolOptions}?)"/>.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">The section of the pool: the keys of <c>grpcpool.json</c> without <c>Listen</c>. An unknown key is a violation.</param>
    /// <returns>Adds handlers.</returns>
    public static GrpcPoolBuilder AddGrpcPool(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddSingleton<IConfigureOptions<GrpcPoolOptions>>(new ConfiguredOptions(configuration));
        return services.AddGrpcPool();
    }

    /// <summary>Adds a check that is healthy while the pool is open: neither before its start nor from the beginning of its drain.</summary>
    /// <param name="builder">The host's health checks.</param>
    /// <param name="name">The check's name, <c>grpcpool</c> by default.</param>
    /// <param name="tags">The check's tags, none by default.</param>
    /// <returns>The host's health checks.</returns>
    public static IHealthChecksBuilder AddGrpcPool(this IHealthChecksBuilder builder, string name = "grpcpool", IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddCheck<PoolHealthCheck>(name, failureStatus: null, tags ?? []);
    }
}
