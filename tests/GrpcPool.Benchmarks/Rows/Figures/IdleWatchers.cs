using GrpcPool.Benchmarks.Load;

namespace GrpcPool.Benchmarks.Rows.Figures;

/// <summary>What each of many watchers takes of the server's memory while nothing happens, its share of a connection included.</summary>
internal sealed class IdleWatchers : IBenchmark
{
    private const int Count = 10_000;
    private const double Kibibytes = 1024;

    public string Name => "figures";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        Binary binary = Binary.Of(effort);
        var samples = new List<double>();
        for (int round = 0; round < effort.Rounds; round++)
        {
            using var storage = Storage.Sqlite();
            await using ServerProcess pool = await binary.StartAsync(storage);
            (await Watchers.OpenAsync(pool, Count / 100)).Dispose();
            double before = await Binary.RestingMemoryAsync(pool);
            using Watchers watchers = await Watchers.OpenAsync(pool, Count);
            samples.Add((await Binary.RestingMemoryAsync(pool) - before) * Kibibytes / Count);
        }

        return [new($"{Count:N0} idle watchers, each ({binary.Name})", 16, 10, samples, " KiB", LessIsBetter: true)];
    }
}
