using GrpcPool.Benchmarks.Load;

namespace GrpcPool.Benchmarks.Rows.Figures;

/// <summary>From the start of the process until the first Submit is answered, with an empty database.</summary>
internal sealed class StartTime : IBenchmark
{
    private const int StartsPerRound = 3;

    public string Name => "figures";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        Binary binary = Binary.Of(effort);
        await StartAsync(binary); // So that the file is in the system's cache, and this client warm.
        var samples = new List<double>();
        for (int i = 0; i < effort.Rounds * StartsPerRound; i++)
            samples.Add(await StartAsync(binary));
        return [new($"start to first answered Submit, SQLite, empty ({binary.Name})", 150, 80, samples, " ms", LessIsBetter: true)];
    }

    private static async Task<double> StartAsync(Binary binary)
    {
        using var storage = Storage.Sqlite();
        long begin = TimeProvider.System.GetTimestamp();
        await using ServerProcess pool = await binary.StartAsync(storage);
        await pool.Pool.SubmitAsync(PoolLoad.Submit);
        return TimeProvider.System.GetElapsedTime(begin).TotalMilliseconds;
    }
}
