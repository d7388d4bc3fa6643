using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.Benchmarks.Limits;
using GrpcPool.Benchmarks.Load;
using GrpcPool.V1;

namespace GrpcPool.Benchmarks.Rows;

/// <summary>One durable Submit at a time, against an empty call and one sync of a page.</summary>
internal sealed class LoneSubmit : IBenchmark
{
    private const int Times = 2000;

    public string Name => "lone-submit";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        using var storage = Storage.Sqlite();
        await using ServerProcess limits = await ServerProcess.StartLimitsAsync();
        await using ServerProcess pool = await storage.StartPoolAsync();
        using var disk = new SyncedPages();

        // A task that is not due yet: nothing but the call and its commit.
        SubmitRequest request = PoolLoad.Submit;
        request.Task.Delay = TimeSpan.FromDays(1).ToDuration();
        var echo = new Chunk { Data = ByteString.CopyFrom(new byte[PoolLoad.PayloadBytes]) };
        await Latency.MeasureAsync(effort.WarmCalls / 50, async () => await limits.Limits.EchoAsync(echo));
        await Latency.MeasureAsync(effort.WarmCalls / 50, async () => await pool.Pool.SubmitAsync(request));

        var ratios = new List<double>();
        var figures = new List<(double Submit, double Echo, double Sync)>();
        for (int round = 0; round < effort.Rounds; round++)
        {
            double call = Latency.Percentile(await Latency.MeasureAsync(Times, async () => await limits.Limits.EchoAsync(echo)), 50);
            double sync = Latency.Percentile(await Latency.MeasureAsync(Times, disk.Sync), 50);
            double submit = Latency.Percentile(await Latency.MeasureAsync(Times, async () => await pool.Pool.SubmitAsync(request)), 50);
            ratios.Add(submit / (call + sync));
            figures.Add((submit, call, sync));
        }

        (double submitTime, double echoTime, double syncTime) = figures[figures.Count / 2];
        return [new("one lone durable Submit, p50 ÷ (echo p50 + one sync)", 1.5, 1.2, ratios, LessIsBetter: true, Absolute: $"{submitTime:0.000} of {echoTime:0.000} + {syncTime:0.000} ms")];
    }
}
