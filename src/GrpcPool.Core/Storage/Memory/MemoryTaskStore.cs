using GrpcPool.Core.Schedules;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Memory;

/// <summary>Keeps everything in memory and forgets it with the process. Also the model that other stores are compared with.</summary>
/// <param name="historyMax">How many changes are kept for watches that resume.</param>
internal sealed class MemoryTaskStore(int historyMax) : ITaskStore
{
    /// <summary>How many rows one scan reads at most, so that no reader holds the lock for long.</summary>
    private const int ScanRowsMax = 10_000;

    private readonly Lock _lock = new();
    private MemoryTaskTable _table = null!;
    private long _floor;

    /// <summary>A new store's revisions begin at the Unix time in µs, so that those of a former one are below its floor.</summary>
    public ValueTask<StoreState> OpenAsync(DateTimeOffset now, CancellationToken cancellation)
    {
        _floor = (now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        _table = new MemoryTaskTable(_floor, historyMax);
        return ValueTask.FromResult(new StoreState(_floor, _floor, null, [], [], []));
    }

    public ValueTask<CommitResult> CommitAsync(IReadOnlyList<TaskCommand> commands, DateTimeOffset now)
    {
        lock (_lock)
            return ValueTask.FromResult(CommandInterpreter.Execute(_table, commands, now, () => (_table.Revision, _table.NextWake)));
    }

    public ValueTask<TaskRecord?> FindAsync(TaskId id)
    {
        lock (_lock)
            return ValueTask.FromResult(_table.Find(id));
    }

    public ValueTask<TaskRecord?> FindUniqueAsync(string @namespace, string key)
    {
        lock (_lock)
            return ValueTask.FromResult(_table.UniqueTask(@namespace, key));
    }

    public ValueTask<TaskPage> ScanAsync(TaskScan scan)
    {
        lock (_lock)
            return ValueTask.FromResult(_table.Rows.Scan(scan, ScanRowsMax));
    }

    public ValueTask<IReadOnlyList<ReadyTask>> ReadReadyAsync(Lane lane, int slotsMax, int limit)
    {
        lock (_lock)
            return ValueTask.FromResult<IReadOnlyList<ReadyTask>>([.. _table.Queues.Ready(lane).Where(task => task.Slots <= slotsMax).Take(limit)]);
    }

    public ValueTask<DateTimeOffset?> FindOldestAsync(Lane lane)
    {
        lock (_lock)
            return ValueTask.FromResult(_table.Queues.OldestReady(lane));
    }

    public ValueTask<int> CountBeforeAsync(TaskRecord task, int limit)
    {
        lock (_lock)
            return ValueTask.FromResult(_table.Queues.CountBefore(task, limit));
    }

    public ValueTask<ChangePage> ReadChangesAsync(long after, int limit)
    {
        lock (_lock)
        {
            bool known = after >= _floor && after <= _table.Revision && after >= _table.History.Floor;
            return ValueTask.FromResult(known ? _table.History.Read(after, limit, _table.Revision) : new ChangePage([], after, Complete: false));
        }
    }

    public ValueTask<ScheduleRecord?> FindScheduleAsync(ScheduleId id)
    {
        lock (_lock)
            return ValueTask.FromResult(_table.Schedules.Find(id) is { Deleted: false } schedule ? schedule : null);
    }

    public ValueTask<SchedulePage> ReadSchedulesAsync(string @namespace, string after, int limit)
    {
        lock (_lock)
            return ValueTask.FromResult(_table.Schedules.Read(@namespace, after, limit));
    }

    public ValueTask<LogPage?> ReadLogAsync(TaskId id, long offset, int bytesMax)
    {
        lock (_lock)
            return ValueTask.FromResult(_table.ReadLog(id, offset, bytesMax));
    }
}
