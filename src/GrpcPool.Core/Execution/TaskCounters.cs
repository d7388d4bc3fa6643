using GrpcPool.Core.Administration;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Execution;

/// <summary>How many tasks there are, by lane and state: kept up with every commit, never counted anew. Thread-safe.</summary>
internal sealed class TaskCounters
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Lane, LaneCounts> _lanes = [];
    private readonly Dictionary<QueueId, QueueCounts> _queues = [];
    private readonly Dictionary<string, int> _queuesOfNamespace = [];

    /// <summary>The lane that was found last: most often the next change is of the same.</summary>
    private LaneCounts? _last;
    private long _waitingTotal;
    private long _finishedTotal;

    public long Waiting => Volatile.Read(ref _waitingTotal);

    public long Finished => Volatile.Read(ref _finishedTotal);

    public int Queues
    {
        get
        {
            lock (_lock)
                return _queues.Count;
        }
    }

    public int Namespaces
    {
        get
        {
            lock (_lock)
                return _queuesOfNamespace.Count;
        }
    }

    /// <summary>How many tasks wait in a queue; null where the queue does not exist.</summary>
    public long? WaitingIn(QueueId queue)
    {
        lock (_lock)
            return _queues.TryGetValue(queue, out QueueCounts? counts) ? counts.Waiting : null;
    }

    public bool HasNamespace(string @namespace)
    {
        lock (_lock)
            return _queuesOfNamespace.ContainsKey(@namespace);
    }

    public void Load(IEnumerable<LaneCount> counts)
    {
        lock (_lock)
        {
            foreach (LaneCount count in counts)
                Add_NeedsLock(CountsOf_NeedsLock(count.Lane), count.State, count.Count);
        }
    }

    public void Apply(IReadOnlyList<TaskChange> changes)
    {
        lock (_lock)
        {
            foreach (TaskChange change in changes)
            {
                LaneCounts lane = CountsOf_NeedsLock(Lane.Of(change.Task));
                if (change.Type == ChangeType.Changed)
                    Add_NeedsLock(lane, change.Task.State, 1);
                if (change.Before is { } before)
                    Add_NeedsLock(lane, before, -1);
                if (change.Type == ChangeType.Changed)
                    lane.Queue.Note(change.Before, change.Task.State);
            }
        }
    }

    /// <summary>The lanes in which tasks are queued.</summary>
    public IReadOnlyList<Lane> QueuedLanes()
    {
        lock (_lock)
            return [.. _lanes.Where(static lane => lane.Value.States[(int)TaskState.Queued] > 0).Select(static lane => lane.Key)];
    }

    /// <summary>How many attempts run, in all namespaces.</summary>
    public long Running
    {
        get
        {
            lock (_lock)
                return _lanes.Values.Sum(static lane => lane.States[(int)TaskState.Running]);
        }
    }

    /// <summary>Counts the tasks of the queues of a namespace.</summary>
    public IReadOnlyList<QueueCount> ReadQueues(string @namespace)
    {
        lock (_lock)
        {
            return [.. _lanes.Values.Where(lane => lane.Lane.Namespace == @namespace).GroupBy(static lane => lane.Queue).Select(static lanes => new QueueCount(
                lanes.Key.Id.Name, Sum(lanes, TaskState.Scheduled), Sum(lanes, TaskState.Queued), Sum(lanes, TaskState.Running), Sum(lanes, TaskState.Retrying), lanes.Key.Passed))];
        }

        static long Sum(IEnumerable<LaneCounts> lanes, TaskState state) => lanes.Sum(lane => lane.States[(int)state]);
    }

    /// <summary>Counts the tasks of a filter that <see cref="TaskFilter.IsCounted"/>.</summary>
    public IReadOnlyList<(Lane Lane, TaskState State, long Count)> Read(TaskFilter filter)
    {
        var counts = new List<(Lane Lane, TaskState State, long Count)>();
        lock (_lock)
        {
            foreach ((Lane lane, LaneCounts counted) in _lanes)
            {
                if (!filter.MatchesLane(lane))
                    continue;
                for (var state = TaskState.Scheduled; (int)state < TaskStates.Count; state++)
                {
                    if (counted.States[(int)state] > 0 && filter.MatchesState(state))
                        counts.Add((lane, state, counted.States[(int)state]));
                }
            }
        }

        return counts;
    }

    /// <summary>Counts the tasks of every lane, by the number of their state.</summary>
    public IReadOnlyList<(Lane Lane, IReadOnlyList<long> States)> ReadAll()
    {
        lock (_lock)
            return [.. _lanes.Select(static lane => (lane.Key, (IReadOnlyList<long>)[.. lane.Value.States]))];
    }

    private LaneCounts CountsOf_NeedsLock(Lane lane)
    {
        if (_last?.Lane == lane)
            return _last;
        if (!_lanes.TryGetValue(lane, out LaneCounts? counts))
            _lanes.Add(lane, counts = new LaneCounts(lane, QueueOf_NeedsLock(new QueueId(lane.Namespace, lane.Queue))));
        return _last = counts;
    }

    private QueueCounts QueueOf_NeedsLock(QueueId id)
    {
        if (!_queues.TryGetValue(id, out QueueCounts? queue))
        {
            _queues.Add(id, queue = new QueueCounts(id));
            _queuesOfNamespace[id.Namespace] = _queuesOfNamespace.GetValueOrDefault(id.Namespace) + 1;
        }

        queue.Lanes++;
        return queue;
    }

    private void Add_NeedsLock(LaneCounts lane, TaskState state, long count)
    {
        lane.States[(int)state] += count;
        lane.Tasks += count;
        if (state.IsFinal())
            _finishedTotal += count;
        if (state.IsWaiting())
        {
            _waitingTotal += count;
            lane.Queue.Waiting += count;
        }

        if (lane.Tasks == 0)
            Forget_NeedsLock(lane);
    }

    private void Forget_NeedsLock(LaneCounts lane)
    {
        _last = null;
        _lanes.Remove(lane.Lane);
        if (--lane.Queue.Lanes > 0)
            return;
        QueueId queue = lane.Queue.Id;
        _queues.Remove(queue);
        if (--_queuesOfNamespace[queue.Namespace] == 0)
            _queuesOfNamespace.Remove(queue.Namespace);
    }

    private sealed class LaneCounts(Lane lane, QueueCounts queue)
    {
        public Lane Lane { get; } = lane;

        public QueueCounts Queue { get; } = queue;

        /// <summary>By the number of the state.</summary>
        public long[] States { get; } = new long[TaskStates.Count];

        public long Tasks { get; set; }
    }

    private sealed class QueueCounts(QueueId id)
    {
        public QueueId Id { get; } = id;

        public int Lanes { get; set; }

        public long Waiting { get; set; }

        public Passage Passed { get; private set; }

        public void Note(TaskState? before, TaskState after)
        {
            bool started = after == TaskState.Running && before != TaskState.Running;
            bool finished = after.IsFinal() && before?.IsFinal() != true;
            Passed += new Passage(before is null ? 1 : 0, started ? 1 : 0, finished ? 1 : 0, finished && after == TaskState.Failed ? 1 : 0);
        }
    }
}

/// <summary>Names one queue: a queue belongs to its namespace.</summary>
internal readonly record struct QueueId(string Namespace, string Name)
{
    public static QueueId Of(NewTask task) => new(task.Id.Namespace, task.Spec.Queue);

    public static QueueId Of(TaskRecord task) => new(task.Id.Namespace, task.Spec.Queue);
}
