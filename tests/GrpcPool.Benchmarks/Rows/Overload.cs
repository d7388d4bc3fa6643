using Google.Protobuf;
using GrpcPool.Benchmarks.Load;
using GrpcPool.V1;

namespace GrpcPool.Benchmarks.Rows;

/// <summary>What a pool still does when ten times as much is offered as it can do, against what it does when just that is; what it refuses must say when to try again.</summary>
internal sealed class Overload : IBenchmark
{
    private const double Mebibyte = 1 << 20;
    private const int Times = 10;
    private const int Slots = 16;
    private const int Capacity = 1000;

    /// <summary>How long a task takes its slot.</summary>
    private const double TaskSeconds = 0.04;

    private const double PerSecond = Slots / TaskSeconds;

    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(50);

    private static readonly SubmitRequest Sleep = new() { Task = new TaskSpec { Kind = "sleep", Payload = ByteString.CopyFromUtf8($$"""{"seconds": {{TaskSeconds}}}""") } };

    public string Name => "overload";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        using var storage = Storage.Sqlite();
        await using ServerProcess pool = await storage.StartPoolAsync($"Pool:Slots={Slots}", $"Queues:default:Capacity={Capacity}");
        using var load = new OpenLoop(pool, Sleep);
        var span = TimeSpan.FromSeconds(effort.Calls / 25_000.0);

        // The queue is never empty, so that this is its peak.
        await PoolLoad.SubmitAsync(pool.Pool, PoolLoad.Batch(Capacity / 2, static () => Sleep.Task));
        await MeasureAsync(pool, load, PerSecond * Times, span);
        double before = pool.Memory;

        var ratios = new List<double>();
        var peaks = new List<double>();
        var goodputs = new List<double>();
        double offered = 0, most = 0;
        for (int round = 0; round < effort.Rounds; round++)
        {
            peaks.Add((await MeasureAsync(pool, load, PerSecond, span)).Goodput);
            (double goodput, offered, double memory) = await MeasureAsync(pool, load, PerSecond * Times, span);
            goodputs.Add(goodput);
            ratios.Add(goodput / peaks[^1]);
            most = Math.Max(most, memory);
        }

        string figures = $"{Measurement.Text(Measurement.MedianOf(goodputs))} of {Measurement.Text(Measurement.MedianOf(peaks))} tasks/s, at {Measurement.Text(offered)} offered/s; {load.Refused:N0} refused, each with RetryInfo";
        return
        [
            new($"tasks ended OK per second, SQLite FULL, at {Times} × the capacity ÷ at the capacity", 0.9, 0.97, ratios, Absolute: figures),
            new("process growth meanwhile", 64, 16, [Math.Max(0, (most - before) / Mebibyte)], " MiB", LessIsBetter: true),
        ];
    }

    /// <returns>How many tasks ended well per second, how many were offered, and the most memory meanwhile.</returns>
    private static async Task<(double Goodput, double Offered, double Memory)> MeasureAsync(ServerProcess pool, OpenLoop load, double perSecond, TimeSpan span)
    {
        long begin = TimeProvider.System.GetTimestamp();
        long before = await PoolLoad.CountAsync(pool.Pool, TaskState.Succeeded);
        Task<double> offering = load.OfferAsync(perSecond, span);
        double memory = 0;
        while (!offering.IsCompleted)
        {
            memory = Math.Max(memory, pool.Memory);
            await Task.Delay(PollEvery, TimeProvider.System);
        }

        double offered = await offering;
        long ended = await PoolLoad.CountAsync(pool.Pool, TaskState.Succeeded) - before;
        if (await PoolLoad.CountAsync(pool.Pool, TaskState.Failed, TaskState.Cancelled, TaskState.Expired) > 0)
            throw new InvalidOperationException("A task has not succeeded.");
        if (offered < perSecond * 0.8)
            throw new InvalidOperationException($"This machine cannot offer {perSecond:N0} tasks/s, but {offered:N0}.");
        return (ended / TimeProvider.System.GetElapsedTime(begin).TotalSeconds, offered, memory);
    }
}
