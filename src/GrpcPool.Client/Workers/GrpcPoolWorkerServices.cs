using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace GrpcPool.Client.Workers;

/// <summary>Registers a worker with a host.</summary>
public static class GrpcPoolWorkerServices
{
    /// <summary>
    /// Makes the host a worker: it dials the pool by the host's <see cref="GrpcPoolClient"/>, which <see cref="GrpcPoolClientServices.AddGrpcPoolClient"/> configures
    /// (address, token, namespace) and handlers may take too, and runs tasks from the host's start until it stops. Options that break their rules stop the host at
    /// its start.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Sets the options. Called again, it sets further ones: a host has one worker.</param>
    /// <returns>Adds handlers, of which there must be one at least.</returns>
    public static GrpcPoolWorkerBuilder AddGrpcPoolWorker(this IServiceCollection services, Action<GrpcPoolWorkerOptions>? configure = null)
    {
        services.AddGrpcPoolClient();
        services.AddOptions<GrpcPoolWorkerOptions>().Configure(options => configure?.Invoke(options)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<GrpcPoolWorkerOptions>, WorkerOptionsCheck>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, WorkerHost>());
        return new GrpcPoolWorkerBuilder(services);
    }
}
