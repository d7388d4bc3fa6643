namespace GrpcPool.Benchmarks;

/// <summary>Where a measured pool keeps its tasks.</summary>
internal sealed class Storage : IDisposable
{
    private readonly DirectoryInfo? _folder;

    private Storage(string name, string[] settings, DirectoryInfo? folder) => (Name, Settings, _folder) = (name, settings, folder);

    public string Name { get; }

    /// <summary>The settings with which a pool keeps its tasks here, with the slots that throughput is measured with.</summary>
    public IReadOnlyList<string> Settings { get; }

    public static Storage Memory() => new("memory", ["Storage:Type=memory"], null);

    /// <summary>An SQLite database in a new folder, synced at each commit.</summary>
    public static Storage Sqlite()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("grpcpool-benchmarks-");
        return new("SQLite FULL", ["Storage:Type=sqlite", "Storage:Synchronous=Full", $"Storage:Path={Path.Combine(folder.FullName, "grpcpool.db")}"], folder);
    }

    /// <summary>Nothing is refused, and nothing pruned: neither is any of what the pool is compared with.</summary>
    public Task<ServerProcess> StartPoolAsync(params IEnumerable<string> settings) => StartPoolAsync(null, settings);

    /// <summary>The same with another program than the one beside this.</summary>
    public Task<ServerProcess> StartPoolAsync(string? program, IEnumerable<string> settings) =>
        ServerProcess.StartPoolAsync(program, [.. Settings, "Pool:Slots=1024", "Pool:Capacity=20000000", "Pool:FinishedMax=20000000", "Queues:default:Capacity=20000000", .. settings]);

    public void Dispose() => _folder?.Delete(recursive: true);
}
