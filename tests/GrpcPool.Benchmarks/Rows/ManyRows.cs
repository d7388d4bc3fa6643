using GrpcPool.Benchmarks.Load;

namespace GrpcPool.Benchmarks.Rows;

/// <summary>Whole lives of tasks in a database with very many rows, against one with few.</summary>
internal sealed class ManyRows : IBenchmark
{
    private const int FewRows = 1000;

    public string Name => "many-rows";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        using var large = Storage.Sqlite();
        using var small = Storage.Sqlite();
        await using ServerProcess many = await large.StartPoolAsync($"Pool:FinishedMax={effort.Rows}");
        await using ServerProcess few = await small.StartPoolAsync($"Pool:FinishedMax={FewRows}");
        await PoolLoad.LiveAsync(many, effort.Rows);
        await PoolLoad.LiveAsync(few, effort.WarmCalls);

        var ratios = new List<double>();
        var rates = new List<Rate>();
        for (int round = 0; round < effort.Rounds; round++)
        {
            rates.Add(await PoolLoad.LiveAsync(many, effort.Calls));
            ratios.Add(rates[^1].PerSecond / (await PoolLoad.LiveAsync(few, effort.Calls)).PerSecond);
        }

        return [new($"life cycles/s with {effort.Rows:N0} rows ÷ with {FewRows:N0}", 0.7, 0.9, ratios, Absolute: Rate.Text(rates, "tasks"))];
    }
}
