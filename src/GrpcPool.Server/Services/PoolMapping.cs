using Google.Protobuf.WellKnownTypes;
using GrpcPool.Core.Administration;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Workers;
using GrpcPool.V1;
using QueueRules = GrpcPool.Core.Administration.QueueRules;

namespace GrpcPool.Server.Services;

/// <summary>From readings of the pool to the contract's messages.</summary>
internal static class PoolMapping
{
    /// <param name="pool">The pool.</param>
    /// <param name="reading">How it is.</param>
    /// <param name="earlier">How it was, for the rates; null for none.</param>
    public static PoolInfo ToInfo(TaskPool pool, PoolReading reading, PoolReading? earlier = null)
    {
        var info = new PoolInfo
        {
            Size = reading.Slots,
            ConfiguredSize = pool.Options.Pool.Slots,
            SlotsInUse = reading.SlotsUsed,
            Running = reading.Running,
            Waiting = reading.Waiting,
            Capacity = pool.Options.Pool.Capacity,
            Draining = pool.Phase != PoolPhase.Open,
            NotReady = pool.NotReady ?? "",
            QueuesLeftOut = reading.QueuesLeftOut,
            Workers = ToTotals(reading.Workers),
            ReadAt = Timestamp.FromDateTimeOffset(reading.At),
            OpenedAt = Timestamp.FromDateTimeOffset(pool.OpenedAt),
        };
        info.Queues.AddRange(reading.Queues.Select(ToInfo));
        if (earlier is not null)
            AddRates(info, reading, earlier);
        return info;
    }

    public static QueueInfo ToInfo(QueueReading reading)
    {
        (QueueCount count, QueueRules rules) = (reading.Count, reading.Rules);
        var info = new QueueInfo
        {
            Queue = count.Queue,
            Waiting = count.Scheduled + count.Queued + count.Retrying,
            Scheduled = count.Scheduled,
            Queued = count.Queued,
            Retrying = count.Retrying,
            Running = count.Running,
            SlotsInUse = reading.SlotsUsed,
            Capacity = rules.Capacity,
            Weight = rules.Weight,
            WhenFull = ToPolicy(rules.WhenFull),
            Paused = rules.Paused,
            Configured = reading.Configured is { } configured ? ToRules(configured) : null,
        };
        if (rules.Limit is { } limit)
            info.Limit = limit;
        return info;
    }

    public static WorkerInfo ToInfo(WorkerState worker)
    {
        var info = new WorkerInfo
        {
            WorkerId = worker.Id,
            Name = worker.Hello.Name,
            Slots = worker.Hello.Slots,
            SlotsInUse = worker.SlotsUsed,
            ConnectedSince = Timestamp.FromDateTimeOffset(worker.Since),
            LastHeartbeat = Timestamp.FromDateTimeOffset(worker.HeardAt),
            Draining = worker.Draining,
            Connected = worker.Connected,
        };
        info.Kinds.AddRange(worker.Hello.Kinds.Order(StringComparer.Ordinal));
        foreach ((string name, string value) in worker.Hello.Labels)
            info.Labels.Add(name, value);
        return info;
    }

    private static void AddRates(PoolInfo info, PoolReading reading, PoolReading earlier)
    {
        double seconds = Math.Max((reading.At - earlier.At).TotalSeconds, 0.001);
        var before = earlier.Queues.ToDictionary(static queue => queue.Count.Queue, static queue => queue.Count.Passed);
        Passage sum = default;
        for (int i = 0; i < info.Queues.Count; i++)
        {
            QueueCount count = reading.Queues[i].Count;
            Passage passed = count.Passed.Since(before.GetValueOrDefault(count.Queue));
            info.Queues[i].Rates = ToRates(passed, seconds);
            sum += passed;
        }

        info.Rates = ToRates(sum, seconds);
    }

    private static PoolRates ToRates(Passage passed, double seconds) => new()
    {
        Submitted = passed.Submitted / seconds,
        Started = passed.Started / seconds,
        Finished = passed.Finished / seconds,
        Failed = passed.Failed / seconds,
    };

    private static WorkerTotals ToTotals(IReadOnlyList<WorkerState> workers) => new()
    {
        Count = workers.Count,
        Draining = workers.Count(static worker => worker.Draining),
        Slots = workers.Sum(static worker => worker.Hello.Slots),
        SlotsInUse = workers.Sum(static worker => worker.SlotsUsed),
    };

    private static V1.QueueRules ToRules(QueueRules rules)
    {
        var told = new V1.QueueRules { Capacity = rules.Capacity, Weight = rules.Weight, WhenFull = ToPolicy(rules.WhenFull) };
        if (rules.Limit is { } limit)
            told.Limit = limit;
        return told;
    }

    private static FullQueuePolicy ToPolicy(FullPolicy policy) => policy switch
    {
        FullPolicy.Wait => FullQueuePolicy.Wait,
        FullPolicy.DiscardOldest => FullQueuePolicy.DiscardOldest,
        _ => FullQueuePolicy.Reject,
    };
}
