using GrpcPool.Benchmarks.Load;

namespace GrpcPool.Benchmarks.Rows;

/// <summary>From the submission of a task until its submitter sees that it succeeded, one at a time.</summary>
internal sealed class SubmitToWatched(Func<Storage> open, double must, double aim) : IBenchmark
{
    private const int Times = 2000;

    public string Name => "latency";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        using Storage storage = open();
        await using ServerProcess pool = await storage.StartPoolAsync();
        await Latency.MeasureAsync(effort.WarmCalls / 25, () => PoolLoad.RunOneAsync(pool, PoolLoad.Echo));
        var samples = new List<double>();
        var medians = new List<double>();
        for (int round = 0; round < effort.Rounds; round++)
        {
            double[] times = await Latency.MeasureAsync(Times, () => PoolLoad.RunOneAsync(pool, PoolLoad.Echo));
            samples.Add(Latency.Percentile(times, 99));
            medians.Add(Latency.Percentile(times, 50));
        }

        return [new($"submit → watched SUCCEEDED, one at a time, p99, {storage.Name}", must, aim, samples, " ms", LessIsBetter: true, $"p50 {Measurement.Text(Measurement.MedianOf(medians))} ms")];
    }
}
