using GrpcPool.Benchmarks.Load;

namespace GrpcPool.Benchmarks.Rows.Figures;

/// <summary>Resident memory after many tasks and watchers have come and gone, against that after a tenth of them.</summary>
internal sealed class MemoryOverTime : IBenchmark
{
    private const int WatchersMax = 10_000;
    private const int Parts = 10;

    public string Name => "figures";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        Binary binary = Binary.Of(effort);
        using var storage = Storage.Sqlite();
        await using ServerProcess pool = await binary.StartAsync(storage, "Pool:FinishedMax=10000");
        double first = 0;
        for (int part = 0; part < Parts; part++)
        {
            (await Watchers.OpenAsync(pool, WatchersMax / Parts)).Dispose();
            await PoolLoad.LiveAsync(pool, effort.WaitingTasks / Parts);
            if (part == 0)
                first = await Binary.RestingMemoryAsync(pool);
        }

        double last = await Binary.RestingMemoryAsync(pool);
        string name = $"RSS after {effort.WaitingTasks:N0} tasks and {WatchersMax:N0} watchers have come and gone, growth over the first tenth ({binary.Name})";
        return [new(name, 10, 3, [100 * Math.Max(0, (last / first) - 1)], " %", LessIsBetter: true, $"{Measurement.Text(first)} to {Measurement.Text(last)} MiB")];
    }
}
