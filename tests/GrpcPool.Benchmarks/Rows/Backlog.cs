using GrpcPool.Benchmarks.Load;

namespace GrpcPool.Benchmarks.Rows;

/// <summary>What a million waiting tasks cost: memory, and the time until a restarted server is ready.</summary>
internal sealed class Backlog : IBenchmark
{
    private const double Mebibyte = 1 << 20;
    private const int PayloadBytes = 200;

    public string Name => "backlog";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        using var storage = Storage.Sqlite();
        double growth;
        await using (ServerProcess pool = await storage.StartPoolAsync("Pool:Slots=1"))
        {
            // A tenth first, so that what the process needs for its work is there.
            await PoolLoad.FillAsync(pool.Pool, effort.WaitingTasks / 10, PayloadBytes);
            long before = pool.Memory;
            await PoolLoad.FillAsync(pool.Pool, effort.WaitingTasks, PayloadBytes);
            growth = (pool.Memory - before) / Mebibyte;
        }

        var restarts = new List<double>();
        for (int round = 0; round < effort.Rounds; round++)
        {
            long begin = TimeProvider.System.GetTimestamp();
            await using ServerProcess pool = await storage.StartPoolAsync("Pool:Slots=1");
            await pool.Pool.GetStatusAsync(new V1.GetStatusRequest { Id = "unknown" }).ResponseAsync.ContinueWith(static answer => _ = answer.Exception, TaskScheduler.Default);
            restarts.Add(TimeProvider.System.GetElapsedTime(begin).TotalSeconds);
        }

        return
        [
            new($"process growth by {effort.WaitingTasks:N0} waiting tasks of {PayloadBytes} bytes", 30, 10, [growth], " MiB", LessIsBetter: true),
            new($"restart with {effort.WaitingTasks:N0} waiting tasks until ready (JIT)", 2, 0.5, restarts, " s", LessIsBetter: true),
        ];
    }
}
