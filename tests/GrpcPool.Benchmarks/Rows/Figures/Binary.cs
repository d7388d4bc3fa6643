namespace GrpcPool.Benchmarks.Rows.Figures;

/// <summary>The program that is measured: the published native one where its path is given, else the one beside this, under JIT.</summary>
internal sealed record Binary(string? Path, string Name)
{
    private const double Mebibyte = 1 << 20;

    /// <summary>After it the server has done what it does after work, and collected what it collects.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(3);

    public static readonly Binary Jit = new(null, "JIT");

    public static Binary Of(Effort effort) => effort.Native is { } path ? new Binary(path, "Native AOT") : Jit;

    /// <summary>Starts it with tasks in an SQLite database.</summary>
    public Task<ServerProcess> StartAsync(Storage storage, params IEnumerable<string> settings) => ServerProcess.StartPoolAsync(Path, [.. storage.Settings, .. settings]);

    /// <summary>What a server takes that has nothing to do, in MiB.</summary>
    public static async Task<double> RestingMemoryAsync(ServerProcess pool)
    {
        await Task.Delay(Rest, TimeProvider.System);
        return pool.Memory / Mebibyte;
    }
}
