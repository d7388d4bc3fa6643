using GrpcPool.Core.Execution;
using GrpcPool.Core.Workers;

namespace GrpcPool.Core.Administration;

/// <summary>How the pool is at one moment, as a namespace sees it.</summary>
/// <param name="At">When it was read.</param>
/// <param name="Slots">The slots of the server itself.</param>
/// <param name="SlotsUsed">How many of them are taken.</param>
/// <param name="Running">The attempts that run, in all namespaces.</param>
/// <param name="Waiting">The tasks that wait, in all namespaces.</param>
/// <param name="Queues">The queues of the namespace, by name.</param>
/// <param name="QueuesLeftOut">How many more there are.</param>
/// <param name="Workers">The workers of the namespace.</param>
internal sealed record PoolReading(
    DateTimeOffset At, int Slots, int SlotsUsed, long Running, long Waiting, IReadOnlyList<QueueReading> Queues, int QueuesLeftOut, IReadOnlyList<WorkerState> Workers)
{
    /// <summary>How many queues a reading has.</summary>
    public const int QueuesMax = 10_000;

    public static PoolReading Of(TaskPool pool, string @namespace)
    {
        Dictionary<string, QueueCount> counts = pool.Counters.ReadQueues(@namespace).ToDictionary(static count => count.Queue);
        IReadOnlyDictionary<QueueId, int> slots = pool.Dispatcher.SlotsByQueue();
        string[] names = [.. counts.Keys.Union(pool.Options.Queues.Keys).Union(pool.Settings.ChangedQueues).Order(StringComparer.Ordinal)];
        QueueReading[] queues = [.. names.Take(QueuesMax).Select(name => QueueReading.Of(
            pool.Settings, counts.GetValueOrDefault(name, new QueueCount { Queue = name }), slots.GetValueOrDefault(new QueueId(@namespace, name))))];
        return new PoolReading(
            pool.Time.GetUtcNow(),
            pool.Settings.Slots,
            pool.Dispatcher.SlotsUsed,
            pool.Counters.Running,
            pool.Counters.Waiting,
            queues,
            names.Length - queues.Length,
            pool.Workers.List(@namespace));
    }

    /// <summary>The same without what other namespaces do.</summary>
    public PoolReading WithoutOthers() => this with
    {
        SlotsUsed = Math.Min(SlotsUsed, Queues.Sum(static queue => queue.SlotsUsed)),
        Running = Queues.Sum(static queue => queue.Count.Running),
        Waiting = Queues.Sum(static queue => queue.Count.Scheduled + queue.Count.Queued + queue.Count.Retrying),
    };
}

/// <summary>How a queue is at one moment.</summary>
/// <param name="Count">Its tasks.</param>
/// <param name="SlotsUsed">The slots that its running tasks take.</param>
/// <param name="Rules">What holds for it.</param>
/// <param name="Configured">What the settings say, where that is something else; else null.</param>
internal sealed record QueueReading(QueueCount Count, int SlotsUsed, QueueRules Rules, QueueRules? Configured)
{
    public static QueueReading Of(TaskPool pool, string @namespace, string queue) => Of(
        pool.Settings,
        pool.Counters.ReadQueues(@namespace).FirstOrDefault(count => count.Queue == queue, new QueueCount { Queue = queue }),
        pool.Dispatcher.SlotsByQueue().GetValueOrDefault(new QueueId(@namespace, queue)));

    public static QueueReading Of(SettingsInForce settings, QueueCount count, int slotsUsed)
    {
        QueueRules rules = settings.Queue(count.Queue);
        var configured = QueueRules.Of(settings.Configured.QueueOrDefault(count.Queue));
        return new QueueReading(count, slotsUsed, rules, rules == configured ? null : configured);
    }
}
