using GrpcPool.Core.Schedules;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Memory;

/// <summary>The schedules, and which of their tasks have not ended. Not thread-safe: the store locks.</summary>
internal sealed class MemoryScheduleTable : IScheduleTable
{
    private readonly SortedDictionary<ScheduleId, ScheduleRecord> _schedules = new(Comparer<ScheduleId>.Create(
        static (a, b) => string.CompareOrdinal(a.Namespace, b.Namespace) is not 0 and var order ? order : string.CompareOrdinal(a.Value, b.Value)));
    private readonly SortedSet<(DateTimeOffset At, ScheduleId Id)> _wakes = new(Comparer<(DateTimeOffset At, ScheduleId Id)>.Create(
        static (a, b) => a.At == b.At ? string.CompareOrdinal($"{a.Id}", $"{b.Id}") : a.At.CompareTo(b.At)));
    private readonly Dictionary<ScheduleId, SortedDictionary<long, TaskId>> _unfinished = [];

    public DateTimeOffset? NextWake => _wakes.Count > 0 ? _wakes.Min.At : null;

    public long Count => _schedules.Count;

    public ScheduleRecord? Find(ScheduleId id) => _schedules.GetValueOrDefault(id);

    public void Write(ScheduleRecord schedule)
    {
        Remove(schedule.Id);
        _schedules.Add(schedule.Id, schedule);
        if (schedule.WakeAt is { } at)
            _wakes.Add((at, schedule.Id));
    }

    public void Remove(ScheduleId id)
    {
        if (_schedules.Remove(id, out ScheduleRecord? former) && former.WakeAt is { } at)
            _wakes.Remove((at, id));
    }

    public IReadOnlyList<ScheduleId> Due(DateTimeOffset now, int max) => [.. _wakes.TakeWhile(wake => wake.At <= now).Take(max).Select(static wake => wake.Id)];

    public IReadOnlyList<ScheduleId> ToRewind(DateTimeOffset now) => [.. _schedules.Values.Where(schedule => schedule.RewindAt > now).Select(static schedule => schedule.Id)];

    public IReadOnlyList<ScheduleId> FromSettings() => [.. _schedules.Values.Where(static schedule => schedule.SettingsHash is not null).Select(static schedule => schedule.Id)];

    public IReadOnlyList<TaskId> Unfinished(ScheduleId id, int max) => _unfinished.TryGetValue(id, out SortedDictionary<long, TaskId>? tasks) ? [.. tasks.Values.Take(max)] : [];

    /// <summary>The schedules of a namespace that are not deleted, in the order of their ids.</summary>
    public SchedulePage Read(string @namespace, string after, int limit)
    {
        ScheduleRecord[] found =
            [.. _schedules.Values.Where(schedule => schedule.Id.Namespace == @namespace && !schedule.Deleted && string.CompareOrdinal(schedule.Id.Value, after) > 0).Take(limit + 1)];
        return new SchedulePage(found.Length > limit ? found[..limit] : found, found.Length > limit);
    }

    /// <summary>Takes note of a task that was written.</summary>
    public void Note(TaskRecord task)
    {
        if (task.Spec.ScheduleId.Length == 0)
            return;
        var id = new ScheduleId(task.Id.Namespace, task.Spec.ScheduleId);
        if (!_unfinished.TryGetValue(id, out SortedDictionary<long, TaskId>? tasks))
            _unfinished.Add(id, tasks = []);
        if (task.State.IsFinal())
            tasks.Remove(task.Sequence);
        else
            tasks[task.Sequence] = task.Id;
        if (tasks.Count == 0)
            _unfinished.Remove(id);
    }
}
