using System.Diagnostics.CodeAnalysis;
using GrpcPool.Core.Handlers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace GrpcPool.Core.Hosting;

/// <summary>Adds handlers to a pool that a host embeds. Not thread-safe, as everything that builds a host.</summary>
public sealed class GrpcPoolBuilder
{
    internal GrpcPoolBuilder(IServiceCollection services) => Services = services;

    /// <summary>The host's services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>
    /// Lets a class run the tasks of a kind. Each attempt takes it from a service scope of its own, which is disposed of when the attempt has ended. It is registered
    /// as scoped, unless the host has registered it already.
    /// </summary>
    /// <typeparam name="THandler">The handler; its constructor's parameters are services.</typeparam>
    /// <param name="kind">The kind, 1–64 characters of <c>a–z</c>, <c>0–9</c>, <c>.</c>, <c>_</c> and <c>-</c>; no other handler may have it.</param>
    /// <param name="configure">Sets the limits of an attempt.</param>
    /// <returns>This, for more handlers.</returns>
    /// <remarks>A wrong kind, one that has another handler, and limits out of range end the host's start with a <see cref="Settings.SettingsException"/>.</remarks>
    public GrpcPoolBuilder AddHandler<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        string kind, Action<HandlerOptions>? configure = null)
        where THandler : class, ITaskHandler
    {
        ArgumentNullException.ThrowIfNull(kind);
        var limits = new HandlerOptions();
        configure?.Invoke(limits);
        var handler = new HandlerRegistration(
            kind, typeof(THandler).FullName!, limits, static host => new ScopedHandler<THandler>(host.GetRequiredService<IServiceScopeFactory>()));
        Services.TryAddScoped<THandler>();
        Services.Configure<GrpcPoolOptions>(options => options.Handlers.Add(handler));
        return this;
    }
}
