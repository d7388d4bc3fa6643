using GrpcPool.Core.Schedules;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Storage.Memory;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Tests.Execution;

/// <summary>A memory store that remembers every change, and that a test can hold up or let fail.</summary>
internal sealed class ObservedStore(int historyMax) : ITaskStore
{
    private readonly MemoryTaskStore _store = new(historyMax);
    private readonly Lock _lock = new();
    private readonly List<TaskChange> _changes = [];
    private readonly List<IReadOnlyList<TaskChange>> _commits = [];
    private readonly List<LogPiece> _pieces = [];
    private readonly List<(Predicate<TaskChange> Matches, TaskCompletionSource<TaskChange> Found)> _awaited = [];
    private TaskCompletionSource _open = Completed();
    private TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _commitFaults;
    private int _readFaults;

    /// <summary>Everything that was ever committed, in order.</summary>
    public IReadOnlyList<TaskChange> Changes
    {
        get
        {
            lock (_lock)
                return [.. _changes];
        }
    }

    /// <summary>The changes of each commit.</summary>
    public IReadOnlyList<IReadOnlyList<TaskChange>> Commits
    {
        get
        {
            lock (_lock)
                return [.. _commits];
        }
    }

    /// <summary>The ids of the tasks that were started, in order.</summary>
    public IReadOnlyList<string> Starts => [.. Changes.Where(IsStart).Select(change => change.Task.Id.Value)];

    /// <summary>Every piece of a log that was committed before its attempt's ending, in order.</summary>
    public IReadOnlyList<LogPiece> Pieces
    {
        get
        {
            lock (_lock)
                return [.. _pieces];
        }
    }

    /// <summary>Lets the next commits fail.</summary>
    public void FailCommits(int count) => Volatile.Write(ref _commitFaults, count);

    /// <summary>Lets the next reads of single tasks or of lanes fail.</summary>
    public void FailReads(int count) => Volatile.Write(ref _readFaults, count);

    /// <summary>From the next commit on they wait for <see cref="Release"/>; what comes meanwhile shares one commit.</summary>
    public void Hold()
    {
        _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _open, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
    }

    /// <summary>Ends when a commit is held up.</summary>
    public Task WhenHeldAsync() => _held.Task;

    public void Release() => _open.TrySetResult();

    public Task<TaskChange> WhenAsync(Predicate<TaskChange> matches)
    {
        lock (_lock)
        {
            if (_changes.Find(matches) is { } change)
                return Task.FromResult(change);
            var found = new TaskCompletionSource<TaskChange>(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((matches, found));
            return found.Task;
        }
    }

    public ValueTask<StoreState> OpenAsync(DateTimeOffset now, CancellationToken cancellation) => _store.OpenAsync(now, cancellation);

    public async ValueTask<CommitResult> CommitAsync(IReadOnlyList<TaskCommand> commands, DateTimeOffset now)
    {
        TaskCompletionSource open = Volatile.Read(ref _open);
        if (!open.Task.IsCompleted)
            _held.TrySetResult();
        await open.Task;
        ThrowIf(ref _commitFaults);
        CommitResult result = await _store.CommitAsync(commands, now);
        lock (_lock)
        {
            _pieces.AddRange(commands.OfType<AppendLog>().Select(static append => append.Piece));
            _commits.Add(result.Changes);
            foreach (TaskChange change in result.Changes)
            {
                _changes.Add(change);
                _awaited.RemoveAll(waiting => waiting.Matches(change) && waiting.Found.TrySetResult(change));
            }
        }

        return result;
    }

    public ValueTask<TaskRecord?> FindAsync(TaskId id)
    {
        ThrowIf(ref _readFaults);
        return _store.FindAsync(id);
    }

    public ValueTask<TaskRecord?> FindUniqueAsync(string @namespace, string key) => _store.FindUniqueAsync(@namespace, key);

    public ValueTask<TaskPage> ScanAsync(TaskScan scan) => _store.ScanAsync(scan);

    public ValueTask<IReadOnlyList<ReadyTask>> ReadReadyAsync(Lane lane, int slotsMax, int limit)
    {
        ThrowIf(ref _readFaults);
        return _store.ReadReadyAsync(lane, slotsMax, limit);
    }

    public ValueTask<DateTimeOffset?> FindOldestAsync(Lane lane) => _store.FindOldestAsync(lane);

    public ValueTask<int> CountBeforeAsync(TaskRecord task, int limit) => _store.CountBeforeAsync(task, limit);

    public ValueTask<ChangePage> ReadChangesAsync(long after, int limit) => _store.ReadChangesAsync(after, limit);

    public ValueTask<LogPage?> ReadLogAsync(TaskId id, long offset, int bytesMax) => _store.ReadLogAsync(id, offset, bytesMax);

    public ValueTask<ScheduleRecord?> FindScheduleAsync(ScheduleId id) => _store.FindScheduleAsync(id);

    public ValueTask<SchedulePage> ReadSchedulesAsync(string @namespace, string after, int limit) => _store.ReadSchedulesAsync(@namespace, after, limit);

    public static bool IsStart(TaskChange change) => change.Task.State == TaskState.Running && change.Before is not TaskState.Running;

    private static void ThrowIf(ref int faults)
    {
        if (Volatile.Read(ref faults) > 0 && Interlocked.Decrement(ref faults) >= 0)
            throw new IOException("the store has a bad moment");
    }

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }
}
