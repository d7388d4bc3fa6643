using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using Tag = System.Collections.Generic.KeyValuePair<string, object?>;

namespace GrpcPool.Core.Execution;

/// <summary>
/// What is measured while the pool works: plain counters, and histograms with tags that are made once. Nobody measures, and this costs one look at a flag. Thread-safe,
/// but for <see cref="Note"/>.
/// </summary>
internal sealed class PoolMetrics : IDisposable
{
    private readonly SeriesMap<string, KindSeries> _kinds = new(static kind => new KindSeries(kind), new KindSeries(Telemetry.Other));
    private readonly ConcurrentDictionary<string, long> _processFailures = new(StringComparer.Ordinal);
    private readonly Histogram<double> _wait;
    private readonly Histogram<double> _attempt;
    private readonly Histogram<double> _commit;
    private readonly Histogram<int> _commitSize;

    /// <summary>The series that was found last by whoever notes changes: most often the next change is of the same queue.</summary>
    private QueueSeries? _last;
    private long _commitFailures;
    private long _evictions;
    private long _fences;

    public PoolMetrics()
    {
        _wait = Histogram(Telemetry.QueueWait, Telemetry.Buckets.Long);
        _attempt = Histogram(Telemetry.AttemptDuration, Telemetry.Buckets.Long);
        _commit = Histogram(Telemetry.CommitDuration, Telemetry.Buckets.Short);
        _commitSize = Histogram(Telemetry.CommitSize, Telemetry.Buckets.Sizes);
    }

    public Meter Meter { get; } = new(Telemetry.Name, Telemetry.Version);

    /// <summary>Whether anybody measures.</summary>
    public bool IsEnabled => _commit.Enabled;

    public SeriesMap<QueueId, QueueSeries> Queues { get; } = new(static id => new QueueSeries(id), new QueueSeries(new QueueId(Telemetry.Other, Telemetry.Other)));

    public long CommitFailures => Volatile.Read(ref _commitFailures);

    public long Evictions => Volatile.Read(ref _evictions);

    public long Fences => Volatile.Read(ref _fences);

    /// <summary>By program.</summary>
    public IReadOnlyDictionary<string, long> ProcessFailures => _processFailures;

    /// <summary>Counts what a commit changed. Called by one at a time.</summary>
    public void Note(IReadOnlyList<TaskChange> changes)
    {
        foreach (TaskChange change in changes)
        {
            if (change.Type != ChangeType.Changed)
                continue;
            var queue = QueueId.Of(change.Task);
            if (_last?.Id != queue)
                _last = Queues[queue];
            _last.Note(change.Before, change.Task);
        }
    }

    public void Committed(int commands, TimeSpan took)
    {
        _commit.Record(took.TotalSeconds);
        _commitSize.Record(commands);
    }

    public void CommitFailed() => Interlocked.Increment(ref _commitFailures);

    /// <summary>A stream was ended that nobody read.</summary>
    public void Evicted() => Interlocked.Increment(ref _evictions);

    /// <summary>Somebody whose lease stands no longer has reported on its attempt.</summary>
    public void Fenced() => Interlocked.Increment(ref _fences);

    /// <summary>A supervised process has failed.</summary>
    public void ProcessFailed(string program) => _processFailures.AddOrUpdate(program, 1, static (_, before) => before + 1);

    /// <summary>An attempt begins.</summary>
    public void Started(TaskRecord task)
    {
        TimeSpan waited = (task.StartedAt ?? task.RunAt) - task.RunAt;
        _wait.Record(Math.Max(0, waited.TotalSeconds), Queues[QueueId.Of(task)].Tags);
    }

    /// <summary>An attempt has ended.</summary>
    public void Ended(string kind, AttemptOutcome outcome, TimeSpan took) => _attempt.Record(took.TotalSeconds, _kinds[kind].Tags(outcome));

    public void Dispose() => Meter.Dispose();

    public Histogram<T> Histogram<T>(MetricName name, T[] bounds)
        where T : struct => Meter.CreateHistogram(name.Name, name.Unit, name.Description, tags: null, new InstrumentAdvice<T> { HistogramBucketBoundaries = bounds });

    /// <summary>The tags of one kind, by outcome.</summary>
    private sealed class KindSeries(string kind)
    {
        private readonly Tag[][] _tags =
            [.. Enum.GetValues<AttemptOutcome>().Select(outcome => (Tag[])[new(Telemetry.Keys.Kind, kind), new(Telemetry.Keys.Outcome, AttemptOutcomes.Text(outcome))])];

        public ReadOnlySpan<Tag> Tags(AttemptOutcome outcome) => _tags[(int)outcome];
    }
}

/// <summary>What is counted of one queue. Written by one at a time.</summary>
internal sealed class QueueSeries(QueueId id)
{
    private readonly long[] _endings = new long[TaskStates.Count];
    private long _submissions;
    private long _retries;
    private long _losses;

    public QueueId Id { get; } = id;

    public Tag[] Tags { get; } = [new(Telemetry.Keys.Namespace, id.Namespace), new(Telemetry.Keys.Queue, id.Name)];

    public long Submissions => Volatile.Read(ref _submissions);

    public long Retries => Volatile.Read(ref _retries);

    public long Losses => Volatile.Read(ref _losses);

    /// <summary>How many tasks have ended in a state.</summary>
    public long Endings(TaskState state) => Volatile.Read(ref _endings[(int)state]);

    public void Note(TaskState? before, TaskRecord task)
    {
        if (before is null)
            _submissions++;
        if (task.State.IsFinal() && before?.IsFinal() != true)
            _endings[(int)task.State]++;
        if (before != TaskState.Running || task.State == TaskState.Running)
            return;
        if (task.State == TaskState.Retrying)
            _retries++;
        if (task.Failure?.Code == FailureCode.LeaseLost)
            _losses++;
    }
}
