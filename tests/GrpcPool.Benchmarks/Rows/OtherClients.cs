using GrpcPool.Benchmarks.Load;

namespace GrpcPool.Benchmarks.Rows;

/// <summary>What a client that calls now and then notices of a flood by somebody else, each of which is a row of its own.</summary>
internal sealed class OtherClients : IBenchmark
{
    /// <summary>Between its calls.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    /// <summary>Until a flood has begun, and until the server has rested from it.</summary>
    private static readonly TimeSpan Beginning = TimeSpan.FromSeconds(2), Rest = TimeSpan.FromSeconds(1);

    public string Name => "floods";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        var all = new List<Measurement>();
        foreach (string flood in Attacker.All.Keys)
            all.Add(await MeasureAsync(flood, effort));
        return all;
    }

    private static async Task<Measurement> MeasureAsync(string flood, Effort effort)
    {
        using var storage = Storage.Sqlite();
        await using ServerProcess pool = await storage.StartPoolAsync(effort.Native, []);
        await Latency.MeasureAsync(effort.WarmCalls / 500, () => PoolLoad.RunOneAsync(pool, PoolLoad.Echo));
        var ratios = new List<double>();
        var quiet = new List<double>();
        var flooded = new List<double>();
        for (int round = 0; round < effort.Rounds; round++)
        {
            quiet.Add(await P99Async(pool, effort));
            await using (Attacker.Start(flood, pool))
            {
                await Task.Delay(Beginning, TimeProvider.System);
                flooded.Add(await P99Async(pool, effort));
            }

            ratios.Add(flooded[^1] / quiet[^1]);
            await Task.Delay(Rest, TimeProvider.System);
        }

        string figures = $"{Measurement.Text(Measurement.MedianOf(flooded))} of {Measurement.Text(Measurement.MedianOf(quiet))} ms; {pool.Memory >> 20} MiB";
        return new($"submit → watched SUCCEEDED, SQLite FULL, p99 of another client: {flood} ÷ quiet", 2, 1.2, ratios, LessIsBetter: true, Absolute: figures);
    }

    private static async Task<double> P99Async(ServerProcess pool, Effort effort)
    {
        double[] times = await Latency.MeasureAsync(effort.Calls / 400, () => PoolLoad.RunOneAsync(pool, PoolLoad.Echo), Pause);
        return Latency.Percentile(times, 99);
    }
}
