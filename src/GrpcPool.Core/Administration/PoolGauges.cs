using System.Diagnostics.Metrics;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Watching;

namespace GrpcPool.Core.Administration;

/// <summary>What is read of the pool only when somebody asks for its metrics.</summary>
internal sealed class PoolGauges
{
    /// <summary>In how many lanes the oldest task is looked for.</summary>
    private const int LanesMax = 1000;

    private static readonly TaskState[] Waiting = [TaskState.Scheduled, TaskState.Queued, TaskState.Running, TaskState.Retrying];

    private static readonly TaskState[] Final = [TaskState.Succeeded, TaskState.Failed, TaskState.Cancelled, TaskState.Expired];

    private readonly TaskPool _pool;
    private readonly SubmissionGate _gate;
    private readonly WatchHub _hub;
    private readonly ITaskStore _store;
    private readonly PoolMetrics _metrics;

    /// <summary>Offers them, until the pool's meter is disposed of.</summary>
    public PoolGauges(TaskPool pool, SubmissionGate gate, WatchHub hub, ITaskStore store)
    {
        (_pool, _gate, _hub, _store, _metrics) = (pool, gate, hub, store, pool.Metrics);
        OfferTasks();
        OfferPool();
        OfferWorkers();
    }

    private void OfferTasks()
    {
        Count(Telemetry.Submissions, () => _metrics.Queues.All.Select(static queue => new Measurement<long>(queue.Submissions, queue.Tags)));
        Count(Telemetry.Retries, () => _metrics.Queues.All.Select(static queue => new Measurement<long>(queue.Retries, queue.Tags)));
        Count(Telemetry.Losses, () => _metrics.Queues.All.Select(static queue => new Measurement<long>(queue.Losses, queue.Tags)));
        Count(Telemetry.Endings, () =>
            from queue in _metrics.Queues.All
            from state in Final
            select new Measurement<long>(queue.Endings(state), [.. queue.Tags, Tag(state)]));
        Count(Telemetry.Refusals, () => _gate.Refusals.Select(static refusal =>
            new Measurement<long>(refusal.Count, KeyValuePair.Create<string, object?>(Telemetry.Keys.Reason, Telemetry.Words(refusal.Reason.ToString())))));
        Show(Telemetry.QueueTasks, ReadQueues);
        _metrics.Meter.CreateObservableGauge(Telemetry.QueueOldest.Name, ReadOldest, Telemetry.QueueOldest.Unit, Telemetry.QueueOldest.Description);
    }

    private void OfferPool()
    {
        Show(Telemetry.SlotLimit, () => [new(_pool.Settings.Slots)]);
        Show(Telemetry.SlotUsage, () => [new(_pool.Dispatcher.SlotsUsed)]);
        _metrics.Meter.CreateObservableGauge(Telemetry.Ready.Name, () => _pool.NotReady is null ? 1 : 0, Telemetry.Ready.Unit, Telemetry.Ready.Description);
        Count(Telemetry.CommitFailures, () => [new(_metrics.CommitFailures)]);
        Show(Telemetry.Waiters, () => [new(_gate.Waiters)]);
        Show(Telemetry.Watches, () => [new(_hub.Watchers)]);
        Count(Telemetry.Evictions, () => [new(_metrics.Evictions)]);
    }

    private void OfferWorkers()
    {
        Show(Telemetry.Workers, () => [new(_pool.Workers.Sizes.Count)]);
        Show(Telemetry.WorkerSlots, () => [new(_pool.Workers.Sizes.Slots)]);
        Count(Telemetry.Fences, () => [new(_metrics.Fences)]);
        Count(Telemetry.ProcessFailures, () => _pool.Options.Workers.Processes.Keys.Select(program =>
            new Measurement<long>(_metrics.ProcessFailures.GetValueOrDefault(program), KeyValuePair.Create<string, object?>(Telemetry.Keys.Program, program))));
    }

    private IEnumerable<Measurement<long>> ReadQueues()
    {
        var sums = _metrics.Queues.All.ToDictionary(static queue => queue, static _ => new long[TaskStates.Count]);
        foreach ((Lane lane, IReadOnlyList<long> states) in _pool.Counters.ReadAll())
        {
            QueueSeries queue = _metrics.Queues[new QueueId(lane.Namespace, lane.Queue)];
            if (!sums.TryGetValue(queue, out long[]? sum))
                sums.Add(queue, sum = new long[TaskStates.Count]);
            for (int i = 0; i < sum.Length; i++)
                sum[i] += states[i];
        }

        return from queue in sums
               from state in Waiting
               select new Measurement<long>(queue.Value[(int)state], [.. queue.Key.Tags, Tag(state)]);
    }

    /// <summary>Whoever collects waits for some short reads, and gets what holds now.</summary>
    private List<Measurement<double>> ReadOldest()
    {
        var oldest = new Dictionary<QueueSeries, DateTimeOffset>();
        try
        {
            foreach (Lane lane in _pool.Counters.QueuedLanes().Take(LanesMax))
            {
                QueueSeries queue = _metrics.Queues[new QueueId(lane.Namespace, lane.Queue)];
                if (_store.FindOldestAsync(lane).AsTask().GetAwaiter().GetResult() is { } due && !(oldest.TryGetValue(queue, out DateTimeOffset other) && other <= due))
                    oldest[queue] = due;
            }
        }
        catch (StorageException)
        {
            // The store's trouble is told elsewhere.
            return [];
        }

        DateTimeOffset now = _pool.Time.GetUtcNow();
        return [.. _metrics.Queues.All.Select(queue => new Measurement<double>(
            oldest.TryGetValue(queue, out DateTimeOffset due) ? Math.Max(0, (now - due).TotalSeconds) : 0, queue.Tags))];
    }

    private void Count(MetricName name, Func<IEnumerable<Measurement<long>>> read) => _metrics.Meter.CreateObservableCounter(name.Name, read, name.Unit, name.Description);

    private void Show(MetricName name, Func<IEnumerable<Measurement<long>>> read) => _metrics.Meter.CreateObservableUpDownCounter(name.Name, read, name.Unit, name.Description);

    private static KeyValuePair<string, object?> Tag(TaskState state) => new(Telemetry.Keys.State, Telemetry.Words(state.ToString()));
}
