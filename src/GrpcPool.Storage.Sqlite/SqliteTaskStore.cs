using GrpcPool.Core.Hosting;
using GrpcPool.Core.Schedules;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite.Engine;
using GrpcPool.Storage.Sqlite.Guard;

namespace GrpcPool.Storage.Sqlite;

/// <summary>Keeps everything in an SQLite database on this machine's disk.</summary>
internal sealed class SqliteTaskStore(SqliteOptions options) : ITaskStore, IDisposable
{
    private readonly LaneNames _names = new();

    /// <summary>Held by whoever uses the connection that writes: a commit, or a step of a backup.</summary>
    private readonly Lock _writing = new();

    /// <summary>Held by a step of a backup until it is done: commits that follow one another without a pause would never let it in, for locks are not fair.</summary>
    private readonly Lock _stepping = new();
    private DatabaseFile? _file;
    private Connection? _connection;
    private Writer? _writer;
    private Readers? _readers;
    private bool _backsUp;
    private bool _disposed;

    /// <summary>Below this, what has been committed may be lost with the power, which no start can tell from damage.</summary>
    private bool IsDurable => options.Synchronous == Synchronous.Full;

    public ValueTask<StoreState> OpenAsync(DateTimeOffset now, CancellationToken cancellation)
    {
        _file = DatabaseFile.Take(options);
        _connection = _file.OpenWriter();
        _writer = new Writer(_connection, _names, options.HistoryMax);
        _readers = new Readers(() => new StoreReader(_file.OpenReader(), _names));
        StoreState state = _writer.Open(now, mayLoseCommits: !IsDurable);
        _file.Record.Write(IsDurable ? state.Revision : 0);
        return ValueTask.FromResult(state);
    }

    public ValueTask<CommitResult> CommitAsync(IReadOnlyList<TaskCommand> commands, DateTimeOffset now)
    {
        lock (_stepping)
        {
            // A step that waits goes first.
        }

        lock (_writing)
        {
            CommitResult result = _writer!.Commit(commands, now);
            if (IsDurable)
                _file!.Record.Write(result.Revision);
            return ValueTask.FromResult(result);
        }
    }

    public ValueTask<TaskRecord?> FindAsync(TaskId id) => _readers!.ReadAsync(reader => reader.Find(id));

    public ValueTask<TaskRecord?> FindUniqueAsync(string @namespace, string key) => _readers!.ReadAsync(reader => reader.FindUnique(@namespace, key));

    public ValueTask<TaskPage> ScanAsync(TaskScan scan) => _readers!.ReadLongAsync(reader => reader.Scan(scan));

    public ValueTask<IReadOnlyList<ReadyTask>> ReadReadyAsync(Lane lane, int slotsMax, int limit) => _readers!.ReadAsync(reader => reader.ReadReady(lane, slotsMax, limit));

    public ValueTask<DateTimeOffset?> FindOldestAsync(Lane lane) => _readers!.ReadAsync(reader => reader.FindOldest(lane));

    public ValueTask<int> CountBeforeAsync(TaskRecord task, int limit) => _readers!.ReadAsync(reader => reader.CountBefore(task, limit));

    public ValueTask<ChangePage> ReadChangesAsync(long after, int limit) => _readers!.ReadLongAsync(reader => reader.ReadChanges(after, limit));

    public ValueTask<LogPage?> ReadLogAsync(TaskId id, long offset, int bytesMax) => _readers!.ReadAsync(reader => reader.ReadLog(id, offset, bytesMax));

    public ValueTask<ScheduleRecord?> FindScheduleAsync(ScheduleId id) => _readers!.ReadAsync(reader => reader.FindSchedule(id));

    public ValueTask<SchedulePage> ReadSchedulesAsync(string @namespace, string after, int limit) =>
        _readers!.ReadLongAsync(reader => reader.ReadSchedules(@namespace, after, limit));

    public StorageException? FindShortage() => _file!.FindShortage();

    public ValueTask ProbeAsync()
    {
        lock (_writing)
            _writer!.Probe();
        return default;
    }

    public async ValueTask<long> BackUpAsync(string path, CancellationToken cancellation)
    {
        if (Interlocked.Exchange(ref _backsUp, true))
            throw new StorageException(StorageFault.Busy, "another backup is under way");
        try
        {
            return await Task.Run(() => BackUp(path, cancellation), cancellation).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _backsUp, false);
        }
    }

    public void Dispose()
    {
        // The writer is the last to go: it moves what is left in the log of the database to its place.
        _readers?.Dispose();
        lock (_writing)
        {
            if (_disposed)
                return;
            _disposed = true;
            try
            {
                _writer?.Close();
            }
            catch (StorageException)
            {
                // It stays as it was after its last commit, and the next start looks at it.
            }
            finally
            {
                (_writer as IDisposable ?? _connection)?.Dispose();
                _file?.Dispose();
            }
        }
    }

    private long BackUp(string path, CancellationToken cancellation)
    {
        Backup backup = Locked(() => new Backup(_connection!, path));
        try
        {
            while (Locked(backup.Step))
            {
                cancellation.ThrowIfCancellationRequested();

                // The same for a commit that waits.
                Thread.Yield();
            }

            Locked(() =>
            {
                backup.EndCopy();
                return true;
            });
            return backup.Complete();
        }
        finally
        {
            lock (_writing)
                backup.Dispose();
        }
    }

    private T Locked<T>(Func<T> step)
    {
        lock (_stepping)
        {
            lock (_writing)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                return step();
            }
        }
    }
}
