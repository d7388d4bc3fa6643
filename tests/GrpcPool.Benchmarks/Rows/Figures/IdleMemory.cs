using GrpcPool.Benchmarks.Load;

namespace GrpcPool.Benchmarks.Rows.Figures;

/// <summary>Resident memory of a server that has nothing to do: all listeners, metrics, traces, an SQLite database, and a task that it has run.</summary>
internal sealed class IdleMemory : IBenchmark
{
    public string Name => "figures";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        Binary binary = Binary.Of(effort);
        await using ServerProcess collector = await ServerProcess.StartLimitsAsync();
        var samples = new List<double>();
        for (int round = 0; round < effort.Rounds; round++)
        {
            using var storage = Storage.Sqlite();
            await using ServerProcess pool = await binary.StartAsync(
                storage, "Listen:Http=http://127.0.0.1:0", "Listen:Ops=http://127.0.0.1:0", $"Telemetry:Otlp:Endpoint=http://127.0.0.1:{collector.Port}", "Telemetry:Otlp:Interval=00:00:01");
            await PoolLoad.RunOneAsync(pool, PoolLoad.Echo);
            samples.Add(await Binary.RestingMemoryAsync(pool));
        }

        return [new($"idle RSS with everything on ({binary.Name})", 60, 40, samples, " MiB", LessIsBetter: true)];
    }
}
