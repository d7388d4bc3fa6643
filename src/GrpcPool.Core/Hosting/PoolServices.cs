using GrpcPool.Core.Administration;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Handlers.Http;
using GrpcPool.Core.Workers.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GrpcPool.Core.Hosting;

/// <summary>Puts the pool into a host, which brings the store.</summary>
internal static class PoolServices
{
    /// <summary>Adds what the pool consists of, once, and where the host has not brought its own.</summary>
    public static void AddPool(this IServiceCollection services)
    {
        services.AddOptions();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<GrpcPoolOptions>, OptionsValidator>());
        services.TryAddSingleton(static host => host.GetRequiredService<IOptions<GrpcPoolOptions>>().Value);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<HttpConnections>();
        services.TryAddSingleton(static host => new HandlerRegistry(Handlers(host.GetRequiredService<GrpcPoolOptions>(), host)));
        services.TryAddSingleton(static host => new MemoryGuard(
            host.GetRequiredService<GrpcPoolOptions>().Limits.MemoryGuard,
            ProcessMemory.Available,
            ProcessMemory.Used,
            ProcessMemory.Collect,
            TimeProvider.System,
            host.GetRequiredService<ILogger<MemoryGuard>>()));
        services.TryAddSingleton<TaskPool>();
        services.TryAddSingleton<Supervisor>();
        services.TryAddSingleton<PoolAdmin>();
        services.AddHostedService<PoolLifetime>();
    }

    private static IEnumerable<KeyValuePair<string, HandlerEntry>> Handlers(GrpcPoolOptions options, IServiceProvider host)
    {
        TimeProvider time = host.GetRequiredService<TimeProvider>();
        if (options.BuiltInKinds)
        {
            yield return Entry("echo", new EchoHandler(), new HandlerOptions());
            yield return Entry("sleep", new SleepHandler(time), new HandlerOptions());
            yield return Entry("fail", new FailHandler(), new HandlerOptions());
        }

        foreach ((string kind, CommandOptions command) in options.Commands)
            yield return Entry(kind, new CommandHandler(command, options.Limits.ResultBytesMax, time), command);

        foreach ((string kind, HttpHandlerOptions http) in options.HttpHandlers)
        {
            var handler = new HttpHandler(http, host.GetRequiredService<HttpConnections>(), options.Limits.ResultBytesMax, time);
            yield return Entry(kind, handler, new HandlerOptions { RunTimeout = http.RunTimeout });
        }

        foreach (HandlerRegistration handler in options.Handlers)
            yield return Entry(handler.Kind, handler.Create(host), handler.Options);
    }

    private static KeyValuePair<string, HandlerEntry> Entry(string kind, ITaskHandler handler, HandlerOptions limits) =>
        new(kind, new HandlerEntry(handler, limits.RunTimeout, limits.KillAfter));
}
