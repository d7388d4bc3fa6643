using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Storage.Memory;
using GrpcPool.Storage.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace GrpcPool.Server.Hosting;

/// <summary>Puts the store of the settings into a host, which disposes it after the pool.</summary>
internal static class StoreServices
{
    public static void AddTaskStore(this IServiceCollection services) => services.TryAddSingleton(static host => Create(host.GetRequiredService<GrpcPoolOptions>()));

    private static ITaskStore Create(GrpcPoolOptions options) => options.Storage.Type == StorageType.Memory
        ? new MemoryTaskStore(options.HistoryMax)
        : new SqliteTaskStore(StoreFile.OptionsOf(options));
}
