using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Memory;

/// <summary>The rows and their indexes. Not thread-safe: the store locks.</summary>
internal sealed class MemoryTaskTable : ITaskTable
{
    private readonly RowTable _rows = new();
    private readonly SortedSet<(DateTimeOffset At, long Sequence, TaskId Id)> _wakes = new(Comparer<(DateTimeOffset At, long Sequence, TaskId Id)>.Create(
        static (a, b) => a.At == b.At ? a.Sequence.CompareTo(b.Sequence) : a.At.CompareTo(b.At)));
    private readonly ExpiryIndex _expiring;
    private readonly RowLine _finished;
    private readonly Dictionary<(string Namespace, string Key), SortedDictionary<long, int>> _lines = [];
    private readonly Dictionary<(string Namespace, string Key), TaskId> _unique = [];
    private readonly MemoryDependencies _dependencies = new();

    /// <param name="floor">The revision before the first.</param>
    /// <param name="historyMax">How many changes are kept for watches that resume.</param>
    public MemoryTaskTable(long floor, int historyMax)
    {
        (_expiring, _finished) = (new ExpiryIndex(_rows), new RowLine(_rows, RowLine.Place.Finished));
        (Revision, Rows, History) = (floor, new RowOrder(_rows), new ChangeHistory(_rows, floor, historyMax));
    }

    public long Revision { get; private set; }

    public DateTimeOffset? NextWake => Schedules.NextWake is { } next && !(NextWakeOfTasks <= next) ? next : NextWakeOfTasks;

    public MemoryScheduleTable Schedules { get; } = new();

    IScheduleTable ITaskTable.Schedules => Schedules;

    public RowOrder Rows { get; }

    public QueueIndex Queues { get; } = new();

    public ChangeHistory History { get; }

    private DateTimeOffset? NextWakeOfTasks => _wakes.Count > 0 && !(_expiring.Next <= _wakes.Min.At) ? _wakes.Min.At : _expiring.Next;

    public long NextRevision() => ++Revision;

    public TaskRecord? Find(TaskId id) => _rows.Find(id) is var row and not RowTable.None ? _rows[row].Task : null;

    public void Write(TaskRecord? before, TaskRecord after)
    {
        int row;
        if (before is null)
        {
            row = _rows.Add(after);
            Rows.Add(row);
        }
        else
        {
            row = _rows.Find(after.Id);
            if (before.State.IsFinal() && after.State.IsFinal())
            {
                Keep(row, before, after);
                return;
            }

            RemoveFromIndexes(row, before);
            (_rows[row].Task, _rows[row].Revision) = (after, after.Revision);
        }

        AddToIndexes(row, after);
        Schedules.Note(after);
        if (after.Spec.UniqueKey.Length > 0)
            NoteUnique(before, after);
        if (before?.Revision != after.Revision)
            History.Add(after.Revision, row);
    }

    public void Remove(TaskRecord task, long revision)
    {
        int row = _rows.Find(task.Id);
        RemoveFromIndexes(row, task);
        _rows.Remove(row, task.Id, revision);
        Rows.CountGap();
        History.Add(revision, row);
    }

    public TaskRecord? FirstInLine(string @namespace, string serialKey) =>
        _lines.TryGetValue((@namespace, serialKey), out SortedDictionary<long, int>? line) ? _rows[line.First().Value].Task : null;

    public TaskRecord? UniqueTask(string @namespace, string key) => _unique.TryGetValue((@namespace, key), out TaskId id) ? Find(id) : null;

    public void AddDependency(TaskRecord parent, TaskRecord dependant, bool waits) => _dependencies.Add(parent, dependant, waits);

    public IReadOnlyList<TaskRecord> TakeWaiting(TaskRecord parent) => [.. _dependencies.TakeWaiting(parent.Id).Select(id => Find(id)!)];

    public IReadOnlyList<TaskRecord> TakeParents(TaskRecord dependant) => [.. _dependencies.TakeParents(dependant).Select(id => Find(id)!)];

    public TaskRecord? OldestNeverStarted(string @namespace, string queue, int priorityMax) =>
        Queues.OldestNeverStarted(@namespace, queue, priorityMax) is { } id ? Find(id) : null;

    public IReadOnlyList<TaskRecord> DueToWake(DateTimeOffset now, int max)
    {
        IEnumerable<TaskRecord> waiting = _wakes.TakeWhile(wake => wake.At <= now).Take(max).Select(wake => Find(wake.Id)!);
        return [.. waiting.Concat(_expiring.Due(now, max)).OrderBy(static task => task.WakeAt).ThenBy(static task => task.Sequence).Take(max)];
    }

    public IReadOnlyList<TaskRecord> FinishedAbove(int keep, int max) =>
        [.. _finished.Rows.Select(row => _rows[row].Task!).Where(task => task.Dependants == 0).Take(Math.Clamp(_finished.Count - keep, 0, max))];

    /// <summary>Kinds need to be known after the process only.</summary>
    public void AddKind(DeclaredKind kind)
    {
    }

    /// <summary>So do changed settings.</summary>
    public void WriteSetting(SettingChange change)
    {
    }

    public LogChunk? LastLogChunk(TaskRecord task) => _rows[_rows.Find(task.Id)].Log is { Count: > 0 } log ? log[^1] : null;

    public void WriteLogChunk(TaskRecord task, LogChunk chunk)
    {
        List<LogChunk> log = _rows[_rows.Find(task.Id)].Log ??= [];
        if (log.Count > 0 && log[^1].Offset == chunk.Offset)
            log[^1] = chunk;
        else
            log.Add(chunk);
    }

    public void DropLogChunks(TaskRecord task, long before) => _rows[_rows.Find(task.Id)].Log?.RemoveAll(chunk => chunk.Offset < before);

    public LogPage? ReadLog(TaskId id, long offset, int bytesMax)
    {
        int row = _rows.Find(id);
        if (row == RowTable.None)
            return null;
        List<LogChunk> log = _rows[row].Log ?? [];
        return LogPage.Of(_rows[row].Task!, log.Count > 0 ? log[0] : null, log.SkipWhile(chunk => chunk.End <= offset), offset, bytesMax);
    }

    private void AddToIndexes(int row, TaskRecord task)
    {
        if (task.State.IsFinal())
        {
            _finished.AddAfter(_finished.Last, row);
            if (task.Dependants == 0)
                _expiring.Add(row, task);
        }
        else if (task.WakeAt is { } wakeAt)
        {
            _wakes.Add((wakeAt, task.Sequence, task.Id));
        }

        if (task.Line != 0)
            JoinLine(row, task);
        if (task.State == TaskState.Queued)
            Queues.Add(task);
    }

    private void RemoveFromIndexes(int row, TaskRecord task)
    {
        if (task.State.IsFinal())
        {
            _finished.Remove(row);
            StopExpiry(row, task);
        }
        else if (task.WakeAt is { } wakeAt)
        {
            _wakes.Remove((wakeAt, task.Sequence, task.Id));
        }

        if (task.Line != 0)
            LeaveLine(task);
        if (task.State == TaskState.Queued)
            Queues.Remove(task);
    }

    /// <summary>A finished task is kept by another, or no longer. It then expires by its own time, which others of its retention may be past.</summary>
    private void Keep(int row, TaskRecord before, TaskRecord after)
    {
        StopExpiry(row, before);
        _rows[row].Task = after;
        if (after.WakeAt is not { } wakeAt)
            return;
        _rows[row].ExpiresApart = true;
        _wakes.Add((wakeAt, after.Sequence, after.Id));
    }

    private void StopExpiry(int row, TaskRecord task)
    {
        if (_rows[row].ExpiresApart)
            _wakes.Remove((task.WakeAt!.Value, task.Sequence, task.Id));
        else if (task.Dependants == 0)
            _expiring.Remove(row, task);
        _rows[row].ExpiresApart = false;
    }

    /// <summary>A task that has ended has let its key go, and another may have it.</summary>
    private void NoteUnique(TaskRecord? before, TaskRecord after)
    {
        var key = (after.Id.Namespace, after.Spec.UniqueKey);
        if (!after.State.IsFinal())
            _unique[key] = after.Id;
        else if (before is not null && !before.State.IsFinal())
            _unique.Remove(key);
    }

    private void JoinLine(int row, TaskRecord task)
    {
        var key = (task.Id.Namespace, task.Spec.SerialKey);
        if (!_lines.TryGetValue(key, out SortedDictionary<long, int>? line))
            _lines.Add(key, line = []);
        line.Add(task.Line, row);
    }

    private void LeaveLine(TaskRecord task)
    {
        var key = (task.Id.Namespace, task.Spec.SerialKey);
        SortedDictionary<long, int> line = _lines[key];
        line.Remove(task.Line);
        if (line.Count == 0)
            _lines.Remove(key);
    }
}
