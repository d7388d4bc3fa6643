using GrpcPool.Core.Schedules;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Storage.Packs;
using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite.Engine;
using GrpcPool.Storage.Sqlite.Rows;

namespace GrpcPool.Storage.Sqlite;

/// <summary>All that is read of a store, by a connection of its own. Each read sees one commit, and is bounded in rows and bytes.</summary>
internal sealed class StoreReader : IDisposable
{
    /// <summary>How many rows one read looks at.</summary>
    private const int RowsMax = 10_000;

    /// <summary>How many bytes of payloads and results one read collects, but for the last task.</summary>
    private const int BytesMax = 4 << 20;

    private readonly Connection _connection;
    private readonly TaskRows _rows;
    private readonly LogTable _logs;
    private readonly ScheduleRows _schedules;
    private readonly Statement _begin;
    private readonly Statement _end;
    private readonly Statement _oldestFirst;
    private readonly Statement _newestFirst;
    private readonly Statement _ready;
    private readonly Statement _oldest;
    private readonly Statement _lanesOfQueue;
    private readonly Statement _countBefore;
    private readonly Statement _meta;
    private readonly Statement _newestChange;
    private readonly Statement _changes;
    private readonly Statement _unique;

    public StoreReader(Connection connection, LaneNames names)
    {
        _connection = connection;
        _rows = new TaskRows(connection, names);
        _logs = new LogTable(connection);
        _schedules = new ScheduleRows(connection);
        _begin = connection.Prepare("BEGIN");
        _end = connection.Prepare("COMMIT");
        _oldestFirst = connection.PrepareFile("task_scan_oldest_first");
        _newestFirst = connection.PrepareFile("task_scan_newest_first");
        _ready = connection.PrepareFile("ready_read");
        _oldest = connection.PrepareFile("ready_oldest");
        _lanesOfQueue = connection.PrepareFile("lanes_of_queue");
        _countBefore = connection.PrepareFile("ready_count_before");
        _meta = connection.PrepareFile("meta_read");
        _newestChange = connection.PrepareFile("history_newest");
        _changes = connection.PrepareFile("history_after");
        _unique = connection.PrepareFile("task_unique");
    }

    public TaskRecord? Find(TaskId id) => AtOneCommit(() => _rows.Find(id));

    public TaskRecord? FindUnique(string @namespace, string key) => AtOneCommit(() => _rows.First(_unique.Bind(1, @namespace).Bind(2, key)));

    public TaskPage Scan(TaskScan scan) => AtOneCommit(() => ScanRows(scan));

    public LogPage? ReadLog(TaskId id, long offset, int bytesMax) =>
        AtOneCommit<LogPage?>(() => _rows.Find(id) is { } task ? _logs.Read(task, offset, bytesMax) : null);

    public ScheduleRecord? FindSchedule(ScheduleId id) => AtOneCommit(() => _schedules.Find(id) is { Deleted: false } schedule ? schedule : null);

    public SchedulePage ReadSchedules(string @namespace, string after, int limit) => AtOneCommit(() => _schedules.Read(@namespace, after, limit, BytesMax));

    public ChangePage ReadChanges(long after, int limit) => AtOneCommit(() => ReadHistory(after, limit));

    public int CountBefore(TaskRecord task, int limit) => AtOneCommit(() => CountRows(task, limit));

    public IReadOnlyList<ReadyTask> ReadReady(Lane lane, int slotsMax, int limit)
    {
        var ready = new List<ReadyTask>();
        _ready.Bind(1, lane.Namespace).Bind(2, lane.Queue).Bind(3, lane.Kind).Bind(4, slotsMax).Bind(5, limit);
        while (_ready.Step())
        {
            ready.Add(new ReadyTask(
                new TaskId(lane.Namespace, _ready.Text(0)),
                lane.Kind,
                _ready.Number(1),
                (int)_ready.Number(2),
                Times.FromTicks(_ready.Number(3)),
                (int)_ready.Number(4),
                _ready.TextOrEmpty(5),
                ReadyTask.IsSuspect((int)_ready.Number(6))));
        }

        return ready;
    }

    public DateTimeOffset? FindOldest(Lane lane)
    {
        _oldest.Bind(1, lane.Namespace).Bind(2, lane.Queue).Bind(3, lane.Kind).Step();
        long? ticks = _oldest.NumberOrNull(0);
        _oldest.Reset();
        return ticks is { } due ? Times.FromTicks(due) : null;
    }

    /// <summary>Ends what a fault has left open.</summary>
    public void Reset() => _connection.Rollback();

    public void Dispose() => _connection.Dispose();

    private T AtOneCommit<T>(Func<T> read)
    {
        _begin.Run();
        T result = read();
        _end.Run();
        return result;
    }

    private TaskPage ScanRows(TaskScan scan)
    {
        Statement rows = scan.NewestFirst ? _newestFirst.Bind(1, scan.From ?? long.MaxValue) : _oldestFirst.Bind(1, scan.From ?? 0);
        var found = new List<TaskRecord>();
        long last = 0, bytes = 0;
        for (int read = 0; rows.Step(); read++)
        {
            if (found.Count == scan.Limit || read == RowsMax || bytes >= BytesMax)
            {
                rows.Reset();
                return new TaskPage(found, last);
            }

            last = TaskRows.SequenceOf(rows);
            if (!scan.Filter.MatchesState(TaskRows.StateOf(rows)) || !scan.Filter.MatchesLane(_rows.LaneOf(rows)))
                continue;
            TaskRecord task = _rows.Read(rows);
            if (!scan.Filter.MatchesApartFromState(task))
                continue;
            found.Add(task);
            bytes += SizeOf(task);
        }

        return new TaskPage(found, null);
    }

    private ChangePage ReadHistory(long after, int limit)
    {
        (long floor, long revision) = ReadBounds();
        if (after < floor || after > revision)
            return new ChangePage([], after, Complete: false);
        var found = new List<HistoricChange>();
        long read = 0, bytes = 0;
        _changes.Bind(1, after);
        while (_changes.Step())
        {
            List<PackedChange> commit = ChangesPack.Read(_changes.Number(0), _changes.Blob(1));
            long first = _changes.Number(0) - commit.Count + 1;
            for (int i = (int)Math.Max(0, after + 1 - first); i < commit.Count; i++)
            {
                if (found.Count == limit || read++ == RowsMax || bytes >= BytesMax)
                {
                    _changes.Reset();
                    return new ChangePage(found, first + i - 1, Complete: true);
                }

                if (Newest(commit[i], first + i) is not { } change)
                    continue;
                found.Add(change);
                bytes += change.Task is { } task ? SizeOf(task) : 0;
            }
        }

        return new ChangePage(found, revision, Complete: true);
    }

    /// <summary>The change, unless a later one of the same task tells more.</summary>
    private HistoricChange? Newest(PackedChange change, long revision)
    {
        if (change.Sequence == 0)
            return new HistoricChange(change.Gone, revision, null);
        return _rows.Find(change.Sequence, revision) is { } task ? new HistoricChange(task.Id, revision, task) : null;
    }

    private (long Floor, long Revision) ReadBounds()
    {
        _meta.Step();
        long floor = Math.Max(_meta.Number(0), _meta.Number(1));
        _meta.Reset();
        _newestChange.Step();
        long revision = _newestChange.NumberOrNull(0) ?? floor;
        _newestChange.Reset();
        return (floor, revision);
    }

    private int CountRows(TaskRecord task, int limit)
    {
        long count = 0;
        _lanesOfQueue.Bind(1, task.Id.Namespace).Bind(2, task.Spec.Queue);
        while (_lanesOfQueue.Step())
        {
            _countBefore.Bind(1, _lanesOfQueue.Number(0)).Bind(2, task.Spec.Priority).Bind(3, Times.ToTicks(task.RunAt)).Bind(4, task.Sequence).Bind(5, limit - count).Step();
            count += _countBefore.Number(0);
            _countBefore.Reset();
        }

        return (int)count;
    }

    private static long SizeOf(TaskRecord task) => task.Spec.Payload.Length + task.Result.Length;
}
