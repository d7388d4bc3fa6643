using GrpcPool.Client.Workers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace GrpcPool.Client.Testing;

/// <summary>Puts a pool in memory into a host under test.</summary>
public static class InMemoryPoolServices
{
    /// <summary>
    /// Takes the place of the host's client and worker: an <see cref="InMemoryPool"/> for the whole host, with the handlers of <c>AddGrpcPoolWorker</c>, each attempt
    /// in a scope of its own. To be called after the application has registered its own.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddInMemoryGrpcPool(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        foreach (ServiceDescriptor worker in services.Where(static service => service.ImplementationType == typeof(WorkerHost)).ToList())
            services.Remove(worker);
        services.AddOptions();
        services.RemoveAll<GrpcPoolClient>();
        services.AddSingleton(static host => host.GetRequiredService<InMemoryPool>().Client);
        services.TryAddSingleton(static host =>
        {
            var pool = new InMemoryPool(host.GetService<TimeProvider>());
            foreach ((string kind, IWorkHandler handler) in WorkHandlerRegistration.CreateAll(host.GetRequiredService<IOptions<GrpcPoolWorkerOptions>>().Value.Handlers, host))
                pool.AddHandler(kind, handler);
            return pool;
        });
        return services;
    }
}
