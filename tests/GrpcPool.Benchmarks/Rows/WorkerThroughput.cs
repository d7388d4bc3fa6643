using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.Benchmarks.Load;
using GrpcPool.V1;

namespace GrpcPool.Benchmarks.Rows;

/// <summary>Tasks that wait already, through one remote worker, against a stream that carries the same assignments and reports back and forth and does nothing else.</summary>
internal sealed class WorkerThroughput : IBenchmark
{
    /// <summary>A quarter of what is under way at a time: as in the pool, some are assigned while others are reported.</summary>
    private const int BatchTasks = RemoteWorker.Slots / 4;

    public string Name => "worker";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        using var storage = Storage.Memory();
        await using ServerProcess bare = await ServerProcess.StartLimitsAsync();
        await using ServerProcess pool = await storage.StartPoolAsync("UndeclaredKinds=Queue");
        await RelayAsync(bare, effort.WarmCalls);
        await WorkAsync(pool, effort.WarmCalls);

        var ratios = new List<double>();
        var rates = new List<Rate>();
        var limits = new List<Rate>();
        for (int round = 0; round < effort.Rounds; round++)
        {
            limits.Add(await RelayAsync(bare, effort.Calls));
            rates.Add(await WorkAsync(pool, effort.Calls));
            ratios.Add(rates[^1].PerSecond / limits[^1].PerSecond);
        }

        string figures = $"{Rate.Text(rates, "tasks")}, of {Rate.Text(limits, "tasks")}";
        string name = $"one remote .NET worker of {RemoteWorker.Slots} slots, no-op, memory ÷ bare bidirectional stream of the same bytes";
        return [new(name, 0.25, 0.5, ratios, Absolute: figures)];
    }

    private static async Task<Rate> WorkAsync(ServerProcess pool, int tasks)
    {
        SubmitBatchRequest batch = PoolLoad.Batch(PoolLoad.BatchTasks, static () => RemoteWorker.Task);
        for (int submitted = 0; submitted < tasks; submitted += PoolLoad.BatchTasks)
            await PoolLoad.SubmitAsync(pool.Pool, batch);
        (long begin, TimeSpan cpu) = (TimeProvider.System.GetTimestamp(), pool.Cpu);
        await using RemoteWorker worker = await RemoteWorker.StartAsync(pool);
        await PoolLoad.IdleAsync(pool.Pool);
        return Rate.Since(pool, tasks, begin, cpu);
    }

    /// <summary>The server sends a batch for each that comes back.</summary>
    private static async Task<Rate> RelayAsync(ServerProcess bare, int tasks)
    {
        (long begin, TimeSpan cpu) = (TimeProvider.System.GetTimestamp(), bare.Cpu);
        using AsyncDuplexStreamingCall<Reports, Assignments> call = bare.Limits.Relay();
        Reports reports = Reports();
        for (int i = 0; i < RemoteWorker.Slots / BatchTasks; i++)
            await call.RequestStream.WriteAsync(reports);
        for (int carried = 0; carried < tasks; carried += BatchTasks)
        {
            if (!await call.ResponseStream.MoveNext(CancellationToken.None))
                throw new InvalidOperationException("The stream has ended.");
            await call.RequestStream.WriteAsync(reports);
        }

        await call.RequestStream.CompleteAsync();
        return Rate.Since(bare, tasks, begin, cpu);
    }

    private static Reports Reports()
    {
        var reports = new Reports { Sequence = 1 };
        reports.Items.AddRange(Enumerable.Range(0, BatchTasks).Select(static _ => new V1.Report { Lease = Lease(), Succeeded = new Succeeded() }));
        return reports;
    }

    private static Lease Lease() => new() { TaskId = new string('0', 36), Attempt = 1, Token = ByteString.CopyFrom(new byte[16]) };

    /// <summary>What the server sends back: assignments of the size that those of the pool have.</summary>
    internal static Assignments Assignments(int tasks)
    {
        var now = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow());
        var task = new TaskInfo
        {
            Namespace = "default",
            Id = new string('0', 36),
            Kind = RemoteWorker.Kind,
            Queue = "default",
            State = TaskState.Running,
            Version = 2,
            Revision = now.Seconds * 1_000_000,
            Slots = 1,
            SubmittedBy = "anonymous",
            SubmittedAt = now,
            RunAt = now,
            StartedAt = now,
            UpdatedAt = now,
            Attempt = 1,
            MaxAttempts = 1,
            Worker = "worker:12345",
            Payload = PoolLoad.Echo.Payload,
        };
        var assignments = new Assignments { Sequence = 1 };
        assignments.Items.AddRange(Enumerable.Range(0, tasks).Select(_ => new Assignment { Lease = Lease(), Task = task }));
        return assignments;
    }
}
