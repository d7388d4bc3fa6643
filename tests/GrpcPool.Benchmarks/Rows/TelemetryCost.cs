using GrpcPool.Benchmarks.Load;

namespace GrpcPool.Benchmarks.Rows;

/// <summary>Submit with metrics, and traces of one call in a hundred, against the same server without.</summary>
internal sealed class TelemetryCost : IBenchmark
{
    public string Name => "telemetry";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        // It refuses what is exported, once that has been made and sent.
        await using ServerProcess collector = await ServerProcess.StartLimitsAsync();
        using var storage = Storage.Memory();
        await using ServerProcess on = await storage.StartPoolAsync(
            "Listen:Ops=http://127.0.0.1:0", $"Telemetry:Otlp:Endpoint=http://127.0.0.1:{collector.Port}", "Telemetry:Otlp:Interval=00:00:05");
        await using ServerProcess off = await storage.StartPoolAsync();
        await UnaryThroughput.SubmitAsync(on, effort.WarmCalls);
        await UnaryThroughput.SubmitAsync(off, effort.WarmCalls);

        var with = new List<Rate>();
        var without = new List<Rate>();
        for (int round = 0; round < effort.Rounds; round++)
        {
            with.Add(await UnaryThroughput.SubmitAsync(on, effort.Calls));
            without.Add(await UnaryThroughput.SubmitAsync(off, effort.Calls));
        }

        string figures = $"{Measurement.Text(Measurement.MedianOf(with.Select(static rate => rate.PerSecond)))} of {Measurement.Text(Measurement.MedianOf(without.Select(static rate => rate.PerSecond)))} calls/s";
        return
        [
            new("telemetry on ÷ off, Submit, memory, calls/s", 0.9, 0.97, [.. with.Zip(without, static (one, other) => one.PerSecond / other.PerSecond)], Absolute: figures),
            new("its server CPU ÷ that without", double.PositiveInfinity, 1.05, [.. with.Zip(without, static (one, other) => one.CpuPer100K / other.CpuPer100K)], LessIsBetter: true),
        ];
    }
}
