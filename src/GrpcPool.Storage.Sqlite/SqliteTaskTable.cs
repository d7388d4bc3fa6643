using GrpcPool.Core.Storage;
using GrpcPool.Core.Storage.Packs;
using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite.Engine;
using GrpcPool.Storage.Sqlite.Rows;

namespace GrpcPool.Storage.Sqlite;

/// <summary>The rows as the transaction under way sees and changes them. Not thread-safe: the writer alone uses it.</summary>
internal sealed class SqliteTaskTable(Connection connection, LaneTable lanes, History history, LaneNames names) : ITaskTable
{
    private readonly TaskRows _rows = new(connection, names);
    private readonly TaskWriter _writer = new(connection);
    private readonly LogTable _logs = new(connection);
    private readonly SettingTable _settings = new(connection);
    private readonly ScheduleTable _schedules = new(connection);
    private readonly UniqueTable _unique = new(connection);
    private readonly DependencyTable _dependencies = new(connection, new TaskRows(connection, names));
    private readonly NeverStarted _neverStarted = new(connection);
    private readonly TaskRoll _started = new(connection, "started", static task => task.Claim);
    private readonly TaskRoll _ended = new(connection, "ended", static task => task.State.IsFinal() ? task.Revision : 0);
    private readonly RecordCache _cache = new();
    private readonly Statement _firstInLine = connection.PrepareFile("task_first_in_line");
    private readonly Statement _uniqueTask = connection.PrepareFile("task_unique");
    private readonly Statement _due = connection.PrepareFile("task_due");
    private readonly Statement _finished = connection.PrepareFile("task_finished");
    private readonly Statement _running = connection.PrepareFile("task_running");
    private readonly Statement _addKind = connection.PrepareFile("kind_add");
    private readonly Statement _kinds = connection.PrepareFile("kind_read_all");
    private readonly Statement _nextWake = connection.PrepareFile("next_wake");

    public long Revision { get; set; }

    public DateTimeOffset? NextWake
    {
        get
        {
            _nextWake.Step();
            DateTimeOffset? at = Times.FromTicks(_nextWake.NumberOrNull(0));
            _nextWake.Reset();
            return at;
        }
    }

    /// <summary>What runs, or ran when the former process ended.</summary>
    public IReadOnlyList<RunningClaim> Running
    {
        get
        {
            var running = new List<RunningClaim>();
            while (_running.Step())
                running.Add(new RunningClaim(new TaskId(_running.Text(0), _running.Text(1)), _running.Number(2)));
            return running;
        }
    }

    /// <summary>What workers have declared.</summary>
    public IReadOnlyList<DeclaredKind> Kinds
    {
        get
        {
            var kinds = new List<DeclaredKind>();
            while (_kinds.Step())
                kinds.Add(new DeclaredKind(_kinds.Text(0), _kinds.Text(1)));
            return kinds;
        }
    }

    /// <summary>What operators have changed about the settings.</summary>
    public IReadOnlyList<SettingChange> Settings => _settings.All;

    public IScheduleTable Schedules => _schedules;

    public long NextRevision() => ++Revision;

    public TaskRecord? Find(TaskId id)
    {
        if (_cache.Find(id) is { } known)
            return known;
        TaskRecord? task = _rows.Find(id);
        if (task is not null)
            _cache.Put(task);
        return task;
    }

    public void Write(TaskRecord? before, TaskRecord after)
    {
        if (before is null)
            _writer.Insert(after, lanes.IdOf(Lane.Of(after)));
        else
            _writer.Update(before, after);
        lanes.Note(before, after);
        _started.Note(before, after);
        _ended.Note(before, after);
        _neverStarted.Note(after);
        _schedules.Note(before, after);
        _unique.Note(before, after);
        if (after.State.IsFinal())
            _cache.Remove(after.Id); // Hardly ever is it asked for again.
        else
            _cache.Put(after);
        if (before?.Revision != after.Revision)
            history.Changed(after);
    }

    public void Remove(TaskRecord task, long revision)
    {
        _writer.Remove(task);
        _logs.Drop(task, long.MaxValue);
        lanes.Note(task, null);
        _ended.Note(task, null);
        _cache.Remove(task.Id);
        history.Removed(task);
    }

    public TaskRecord? FirstInLine(string @namespace, string serialKey) => _rows.First(_firstInLine.Bind(1, @namespace).Bind(2, serialKey));

    public TaskRecord? UniqueTask(string @namespace, string key) => _rows.First(_uniqueTask.Bind(1, @namespace).Bind(2, key));

    public TaskRecord? OldestNeverStarted(string @namespace, string queue, int priorityMax) =>
        _neverStarted.Oldest(_rows, @namespace, queue, priorityMax);

    public void AddDependency(TaskRecord parent, TaskRecord dependant, bool waits) => _dependencies.Add(parent, dependant, waits);

    public IReadOnlyList<TaskRecord> TakeWaiting(TaskRecord parent) => Known(_dependencies.TakeWaiting(parent));

    public IReadOnlyList<TaskRecord> TakeParents(TaskRecord dependant) => Known(_dependencies.TakeParents(dependant));

    public IReadOnlyList<TaskRecord> DueToWake(DateTimeOffset now, int max) => Known(_rows.All(_due.Bind(1, Times.ToTicks(now)).Bind(2, max)));

    public IReadOnlyList<TaskRecord> FinishedAbove(int keep, int max)
    {
        long above = Math.Clamp(lanes.Finished - keep, 0, max);
        if (above == 0)
            return [];
        _ended.Write(Revision);
        return Known(_rows.All(_finished.Bind(1, above)));
    }

    public void AddKind(DeclaredKind kind) => _addKind.Bind(1, kind.Namespace).Bind(2, kind.Kind).Run();

    public void WriteSetting(SettingChange change) => _settings.Write(change);

    public LogChunk? LastLogChunk(TaskRecord task) => _logs.Last(task);

    public void WriteLogChunk(TaskRecord task, LogChunk chunk) => _logs.Write(task, chunk);

    public void DropLogChunks(TaskRecord task, long before) => _logs.Drop(task, before);

    /// <summary>Writes what is written once for all that the transaction has changed.</summary>
    public void WriteTogether()
    {
        lanes.Write();
        history.Write(Revision);
        _started.Write(Revision);
        _ended.Write(Revision);
    }

    /// <summary>The transaction is committed.</summary>
    public void Settle() => _cache.Settle();

    /// <summary>The transaction was rolled back.</summary>
    public void Reset(long revision)
    {
        Revision = revision;
        _cache.Clear();
        _neverStarted.Reset();
        history.Reset();
        _started.Reset();
        _ended.Reset();
        lanes.Load();
    }

    private List<TaskRecord> Known(List<TaskRecord> tasks)
    {
        tasks.ForEach(_cache.Put);
        return tasks;
    }
}
