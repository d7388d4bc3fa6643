using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Memory;

/// <summary>The queued tasks: the ready ones by lane in the order of starts, the never-started ones by queue, priority and age.</summary>
internal sealed class QueueIndex
{
    private readonly Dictionary<Lane, SortedSet<ReadyTask>> _lanes = [];
    private readonly Dictionary<(string Namespace, string Queue), SortedDictionary<int, SortedDictionary<long, TaskId>>> _neverStarted = [];

    public IEnumerable<ReadyTask> Ready(Lane lane) => _lanes.TryGetValue(lane, out SortedSet<ReadyTask>? tasks) ? tasks : [];

    /// <summary>Since when the oldest ready task of a lane is due. It is the first of its priority: the others are skipped.</summary>
    public DateTimeOffset? OldestReady(Lane lane)
    {
        DateTimeOffset? oldest = null;
        SortedSet<ReadyTask>? rest = _lanes.GetValueOrDefault(lane);
        while (rest?.Min is { } first)
        {
            oldest = oldest < first.RunAt ? oldest : first.RunAt;
            ReadyTask next = first with { Priority = first.Priority - 1, RunAt = DateTimeOffset.MinValue, Sequence = 0 };
            rest = next.CompareTo(rest.Max) <= 0 ? rest.GetViewBetween(next, rest.Max) : null;
        }

        return oldest;
    }

    public void Add(TaskRecord task)
    {
        if (task.IsReady)
            LaneOf(task).Add(ReadyTask.Of(task));
        if (task.Attempt == 0)
            AgesOf(task).Add(task.Sequence, task.Id);
    }

    public void Remove(TaskRecord task)
    {
        if (task.IsReady)
        {
            SortedSet<ReadyTask> lane = LaneOf(task);
            lane.Remove(ReadyTask.Of(task));
            if (lane.Count == 0)
                _lanes.Remove(Lane.Of(task));
        }

        if (task.Attempt == 0)
            RemoveNeverStarted(task);
    }

    public TaskId? OldestNeverStarted(string @namespace, string queue, int priorityMax)
    {
        if (!_neverStarted.TryGetValue((@namespace, queue), out SortedDictionary<int, SortedDictionary<long, TaskId>>? priorities))
            return null;
        var oldest = priorities.Where(priority => priority.Key <= priorityMax).Select(priority => priority.Value.First());
        return oldest.OrderBy(task => task.Key).Select(task => (TaskId?)task.Value).FirstOrDefault();
    }

    public int CountBefore(TaskRecord task, int limit)
    {
        ReadyTask self = ReadyTask.Of(task);
        return _lanes
            .Where(lane => lane.Key.Namespace == task.Id.Namespace && lane.Key.Queue == task.Spec.Queue)
            .SelectMany(lane => lane.Value.TakeWhile(other => other.CompareTo(self) < 0))
            .Take(limit)
            .Count();
    }

    private SortedSet<ReadyTask> LaneOf(TaskRecord task)
    {
        var key = Lane.Of(task);
        if (!_lanes.TryGetValue(key, out SortedSet<ReadyTask>? lane))
            _lanes.Add(key, lane = []);
        return lane;
    }

    private SortedDictionary<long, TaskId> AgesOf(TaskRecord task)
    {
        var key = (task.Id.Namespace, task.Spec.Queue);
        if (!_neverStarted.TryGetValue(key, out SortedDictionary<int, SortedDictionary<long, TaskId>>? priorities))
            _neverStarted.Add(key, priorities = []);
        if (!priorities.TryGetValue(task.Spec.Priority, out SortedDictionary<long, TaskId>? ages))
            priorities.Add(task.Spec.Priority, ages = []);
        return ages;
    }

    private void RemoveNeverStarted(TaskRecord task)
    {
        var key = (task.Id.Namespace, task.Spec.Queue);
        SortedDictionary<int, SortedDictionary<long, TaskId>> priorities = _neverStarted[key];
        SortedDictionary<long, TaskId> ages = priorities[task.Spec.Priority];
        ages.Remove(task.Sequence);
        if (ages.Count == 0)
            priorities.Remove(task.Spec.Priority);
        if (priorities.Count == 0)
            _neverStarted.Remove(key);
    }
}
