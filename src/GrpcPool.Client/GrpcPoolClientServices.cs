using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GrpcPool.Client;

/// <summary>Registers the client with a host.</summary>
public static class GrpcPoolClientServices
{
    /// <summary>
    /// Adds a <see cref="GrpcPoolClient"/> for the whole process, with the host's <see cref="TimeProvider"/> and logs. Options that break their rules stop the host
    /// at its start.
    /// </summary>
    /// <param name="services">The services to add to.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddGrpcPoolClient(this IServiceCollection services, Action<GrpcPoolClientOptions>? configure = null)
    {
        services.AddOptions<GrpcPoolClientOptions>().Configure(options => configure?.Invoke(options)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<GrpcPoolClientOptions>, OptionsCheck>());
        services.TryAddSingleton(static provider => new GrpcPoolClient(
            provider.GetRequiredService<IOptions<GrpcPoolClientOptions>>().Value, provider.GetService<TimeProvider>(), provider.GetService<ILoggerFactory>()));
        return services;
    }
}
