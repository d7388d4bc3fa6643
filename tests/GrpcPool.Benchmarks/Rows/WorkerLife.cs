using GrpcPool.Benchmarks.Load;

namespace GrpcPool.Benchmarks.Rows;

/// <summary>Durable batches until all their tasks have succeeded at a remote worker, against the same with the built-in handler.</summary>
internal sealed class WorkerLife : IBenchmark
{
    public string Name => "worker";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        using var storage = Storage.Sqlite();
        await using ServerProcess pool = await storage.StartPoolAsync("UndeclaredKinds=Queue");
        await using RemoteWorker worker = await RemoteWorker.StartAsync(pool);
        await PoolLoad.LiveAsync(pool, effort.WarmCalls);
        await PoolLoad.LiveAsync(pool, effort.WarmCalls, static () => RemoteWorker.Task);

        var ratios = new List<double>();
        var rates = new List<Rate>();
        var limits = new List<Rate>();
        for (int round = 0; round < effort.Rounds; round++)
        {
            limits.Add(await PoolLoad.LiveAsync(pool, effort.Calls));
            rates.Add(await PoolLoad.LiveAsync(pool, effort.Calls, static () => RemoteWorker.Task));
            ratios.Add(rates[^1].PerSecond / limits[^1].PerSecond);
        }

        string figures = $"{Rate.Text(rates, "tasks")}, of {Rate.Text(limits, "tasks")}";
        return [new("SubmitBatch until SUCCEEDED, SQLite FULL, at that worker ÷ with the built-in handler", 0.5, 0.8, ratios, Absolute: figures)];
    }
}
