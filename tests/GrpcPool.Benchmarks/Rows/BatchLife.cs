using GrpcPool.Benchmarks.Limits;
using GrpcPool.Benchmarks.Load;

namespace GrpcPool.Benchmarks.Rows;

/// <summary>Batches until all their tasks have succeeded, against the bare inserts and updates of the same tasks.</summary>
internal sealed class BatchLife : IBenchmark
{
    public string Name => "batch";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        using var storage = Storage.Sqlite();
        using var limit = new RawSqlite();
        await using ServerProcess pool = await storage.StartPoolAsync();
        await PoolLoad.LiveAsync(pool, effort.WarmCalls);
        limit.Live(effort.WarmCalls, PoolLoad.BatchTasks);

        var ratios = new List<double>();
        var rates = new List<Rate>();
        var limits = new List<double>();
        for (int round = 0; round < effort.Rounds; round++)
        {
            limits.Add(limit.Live(effort.Calls, PoolLoad.BatchTasks));
            rates.Add(await PoolLoad.LiveAsync(pool, effort.Calls));
            ratios.Add(rates[^1].PerSecond / limits[^1]);
        }

        string figures = $"{Rate.Text(rates, "tasks")}, of {Measurement.Text(Measurement.MedianOf(limits))} tasks/s";
        return [new($"SubmitBatch of {PoolLoad.BatchTasks:N0}, SQLite FULL, until SUCCEEDED ÷ raw SQLite insert + start + end", 0.5, 0.8, ratios, Absolute: figures)];
    }
}
