using Google.Protobuf;
using GrpcPool.Benchmarks.Limits;
using GrpcPool.Benchmarks.Load;

namespace GrpcPool.Benchmarks.Rows;

/// <summary>
/// From the submission of a task until its submitter sees that a remote worker has done it, one at a time, against the three calls that this takes at least and, where
/// it is durable, two syncs.
/// </summary>
internal sealed class WorkerLatency(Func<Storage> open) : IBenchmark
{
    private const int Times = 2000;
    private const int Echoes = 3;
    private const int Syncs = 2;

    public string Name => "worker-latency";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        using Storage storage = open();
        int syncs = storage.Name == "memory" ? 0 : Syncs;
        using var disk = new SyncedPages();
        await using ServerProcess limits = await ServerProcess.StartLimitsAsync();
        await using ServerProcess pool = await storage.StartPoolAsync("UndeclaredKinds=Queue");
        await using RemoteWorker worker = await RemoteWorker.StartAsync(pool);
        var echo = new Chunk { Data = ByteString.CopyFrom(new byte[PoolLoad.PayloadBytes]) };
        await Latency.MeasureAsync(effort.WarmCalls / 25, async () => await limits.Limits.EchoAsync(echo));
        await Latency.MeasureAsync(effort.WarmCalls / 25, () => PoolLoad.RunOneAsync(pool, RemoteWorker.Task));

        var ratios = new List<double>();
        var figures = new List<(double Run, double Call, double Sync)>();
        for (int round = 0; round < effort.Rounds; round++)
        {
            double call = Latency.Percentile(await Latency.MeasureAsync(Times, async () => await limits.Limits.EchoAsync(echo)), 50);
            double sync = Latency.Percentile(await Latency.MeasureAsync(Times, disk.Sync), 50);
            double run = Latency.Percentile(await Latency.MeasureAsync(Times, () => PoolLoad.RunOneAsync(pool, RemoteWorker.Task)), 50);
            ratios.Add(run / ((Echoes * call) + (syncs * sync)));
            figures.Add((run, call, sync));
        }

        (double runTime, double callTime, double syncTime) = figures[figures.Count / 2];
        string limit = syncs == 0 ? $"{Echoes} × {callTime:0.000}" : $"{Echoes} × {callTime:0.000} + {Syncs} × {syncTime:0.000}";
        string name = $"submit → worker → watched SUCCEEDED, one at a time, {storage.Name}, p50 ÷ {Echoes} echoes{(syncs == 0 ? "" : $" + {Syncs} syncs")}";
        return [new(name, 2, 1.3, ratios, LessIsBetter: true, Absolute: $"{runTime:0.000} of {limit} ms")];
    }
}
