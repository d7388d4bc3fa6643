using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace GrpcPool.Client.Workers;

/// <summary>Adds handlers to the worker of a host. Not thread-safe, as everything that builds a host.</summary>
public sealed class GrpcPoolWorkerBuilder
{
    internal GrpcPoolWorkerBuilder(IServiceCollection services) => Services = services;

    /// <summary>The host's services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>
    /// Lets a class run the tasks of a kind. Each attempt takes it from a service scope of its own, which is disposed of when the attempt has ended. It is registered
    /// as scoped, unless the host has registered it already.
    /// </summary>
    /// <typeparam name="THandler">The handler; its constructor's parameters are services.</typeparam>
    /// <param name="kind">The kind, 1–64 characters of <c>a–z</c>, <c>0–9</c>, <c>.</c>, <c>_</c> and <c>-</c>; no other handler of the worker may have it.</param>
    /// <returns>This, for more handlers.</returns>
    public GrpcPoolWorkerBuilder AddHandler<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(string kind)
        where THandler : class, IWorkHandler
    {
        ArgumentNullException.ThrowIfNull(kind);
        var handler = new WorkHandlerRegistration(
            kind, typeof(THandler).FullName!, static host => new ScopedWorkHandler<THandler>(host.GetRequiredService<IServiceScopeFactory>()));
        Services.TryAddScoped<THandler>();
        Services.Configure<GrpcPoolWorkerOptions>(options => options.Handlers.Add(handler));
        return this;
    }
}
