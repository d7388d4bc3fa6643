using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Memory;

/// <summary>The rows and their indexes. Not thread-safe: the store locks.</summary>
internal sealed class MemoryTaskTable(long floor, int historyMax) : ITaskTable
{
    private readonly Dictionary<TaskId, TaskRow> _byId = [];
    private readonly SortedSet<(DateTimeOffset At, long Sequence, TaskId Id)> _wakes = new(Comparer<(DateTimeOffset At, long Sequence, TaskId Id)>.Create(
        static (a, b) => a.At == b.At ? a.Sequence.CompareTo(b.Sequence) : a.At.CompareTo(b.At)));
    private readonly ExpiryIndex _expiring = new();
    private readonly RowLine _finished = new(RowLine.Place.Finished);
    private readonly Dictionary<(string Namespace, string Key), SortedDictionary<long, TaskRow>> _lines = [];

    public long Revision { get; private set; } = floor;

    public DateTimeOffset? NextWake => _wakes.Count > 0 && !(_expiring.Next <= _wakes.Min.At) ? _wakes.Min.At : _expiring.Next;

    public TaskRows Rows { get; } = new();

    public QueueIndex Queues { get; } = new();

    public ChangeHistory History { get; } = new(floor, historyMax);

    public long NextRevision() => ++Revision;

    public TaskRecord? Find(TaskId id) => _byId.TryGetValue(id, out TaskRow? row) ? row.Task : null;

    public void Write(TaskRecord? before, TaskRecord after)
    {
        TaskRow row;
        if (before is null)
        {
            row = new TaskRow(after);
            _byId.Add(after.Id, row);
            Rows.Add(row);
        }
        else
        {
            row = _byId[after.Id];
            RemoveFromIndexes(row, before);
            (row.Task, row.Revision) = (after, after.Revision);
        }

        AddToIndexes(row, after);
        if (before?.Revision != after.Revision)
            History.Add(after.Revision, row);
    }

    public void Remove(TaskRecord task, long revision)
    {
        _byId.Remove(task.Id, out TaskRow? row);
        RemoveFromIndexes(row!, task);
        (row!.Task, row.Log, row.Revision) = (null, null, revision);
        Rows.CountGap();
        History.Add(revision, row);
    }

    public TaskRecord? FirstInLine(string @namespace, string serialKey) =>
        _lines.TryGetValue((@namespace, serialKey), out SortedDictionary<long, TaskRow>? line) ? line.First().Value.Task : null;

    public TaskRecord? OldestNeverStarted(string @namespace, string queue, int priorityMax) =>
        Queues.OldestNeverStarted(@namespace, queue, priorityMax) is { } id ? Find(id) : null;

    public IReadOnlyList<TaskRecord> DueToWake(DateTimeOffset now, int max)
    {
        IEnumerable<TaskRecord> waiting = _wakes.TakeWhile(wake => wake.At <= now).Take(max).Select(wake => _byId[wake.Id].Task!);
        return [.. waiting.Concat(_expiring.Due(now, max)).OrderBy(static task => task.WakeAt).ThenBy(static task => task.Sequence).Take(max)];
    }

    public IReadOnlyList<TaskRecord> FinishedAbove(int keep, int max) =>
        [.. _finished.Rows.Take(Math.Clamp(_finished.Count - keep, 0, max)).Select(row => row.Task!)];

    /// <summary>Kinds need to be known after the process only.</summary>
    public void AddKind(DeclaredKind kind)
    {
    }

    /// <summary>So do changed settings.</summary>
    public void WriteSetting(SettingChange change)
    {
    }

    public LogChunk? LastLogChunk(TaskRecord task) => _byId[task.Id].Log is { Count: > 0 } log ? log[^1] : null;

    public void WriteLogChunk(TaskRecord task, LogChunk chunk)
    {
        List<LogChunk> log = _byId[task.Id].Log ??= [];
        if (log.Count > 0 && log[^1].Offset == chunk.Offset)
            log[^1] = chunk;
        else
            log.Add(chunk);
    }

    public void DropLogChunks(TaskRecord task, long before) => _byId[task.Id].Log?.RemoveAll(chunk => chunk.Offset < before);

    public LogPage? ReadLog(TaskId id, long offset, int bytesMax)
    {
        if (!_byId.TryGetValue(id, out TaskRow? row))
            return null;
        List<LogChunk> log = row.Log ?? [];
        return LogPage.Of(row.Task!, log.Count > 0 ? log[0] : null, log.SkipWhile(chunk => chunk.End <= offset), offset, bytesMax);
    }

    private void AddToIndexes(TaskRow row, TaskRecord task)
    {
        if (task.State.IsFinal())
        {
            _finished.AddAfter(_finished.Last, row);
            _expiring.Add(row);
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

    private void RemoveFromIndexes(TaskRow row, TaskRecord task)
    {
        if (task.State.IsFinal())
        {
            _finished.Remove(row);
            _expiring.Remove(row, task);
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

    private void JoinLine(TaskRow row, TaskRecord task)
    {
        var key = (task.Id.Namespace, task.Spec.SerialKey);
        if (!_lines.TryGetValue(key, out SortedDictionary<long, TaskRow>? line))
            _lines.Add(key, line = []);
        line.Add(task.Line, row);
    }

    private void LeaveLine(TaskRecord task)
    {
        var key = (task.Id.Namespace, task.Spec.SerialKey);
        SortedDictionary<long, TaskRow> line = _lines[key];
        line.Remove(task.Line);
        if (line.Count == 0)
            _lines.Remove(key);
    }
}
