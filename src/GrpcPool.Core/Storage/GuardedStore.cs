using GrpcPool.Core.Hosting;
using GrpcPool.Core.Schedules;
using GrpcPool.Core.Tasks;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Storage;

/// <summary>
/// A store whose trouble is known: a fault counts until a commit succeeds, a shortage until it is over, damage for ever. Looks after it once a second, and after large commits. Thread-safe
/// but for commits.
/// </summary>
internal sealed class GuardedStore(ITaskStore store, TimeProvider time, ILogger log) : ITaskStore, IDisposable
{
    /// <summary>So many bytes of payloads may be committed without a look for a shortage: a sixteenth of what is kept free.</summary>
    private const int UnseenBytesMax = 4 << 20;

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private StorageException? _fault;
    private StorageException? _shortage;
    private TaskCompletionSource _changed = NewSource();
    private ITimer? _timer;
    private long _unseenBytes;
    private volatile bool _probeDue;

    /// <summary>Why no new task is taken; null where all is well.</summary>
    public StorageException? Trouble
    {
        get
        {
            lock (_lock)
                return _fault ?? _shortage;
        }
    }

    /// <summary>False from a fault until a commit succeeds: what need not be committed should not be tried.</summary>
    public bool IsWritable
    {
        get
        {
            lock (_lock)
                return _fault is null;
        }
    }

    /// <summary>Ends when the trouble becomes another, or ends.</summary>
    public Task Changed
    {
        get
        {
            lock (_lock)
                return _changed.Task;
        }
    }

    /// <summary>Begins to look after the store.</summary>
    /// <param name="nudge">Called, on any thread, when <see cref="TryRecoverAsync"/> should be.</param>
    public void Watch(Action nudge)
    {
        LookForShortage();
        _timer = time.CreateTimer(_ => OnTimer(nudge), null, LookAgain, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Tries, at most once a second, whether a fault is over. Called between commits.</summary>
    public async ValueTask TryRecoverAsync()
    {
        if (!_probeDue)
            return;
        _probeDue = false;
        try
        {
            await store.ProbeAsync().ConfigureAwait(false);
            Set(fault: null);
        }
        catch (StorageException fault)
        {
            Note(fault);
        }
    }

    public ValueTask<StoreState> OpenAsync(DateTimeOffset now, CancellationToken cancellation) => store.OpenAsync(now, cancellation);

    public async ValueTask<CommitResult> CommitAsync(IReadOnlyList<TaskCommand> commands, DateTimeOffset now)
    {
        if (Trouble is { Fault: StorageFault.Corrupt } damage)
            throw new StorageException(damage.Fault, damage.Message, damage);
        try
        {
            CommitResult result = await store.CommitAsync(commands, now).ConfigureAwait(false);
            if (!IsWritable)
                Set(fault: null);
            LookAfter(commands);
            return result;
        }
        catch (StorageException fault)
        {
            Note(fault);
            throw;
        }
    }

    public ValueTask<TaskRecord?> FindAsync(TaskId id) => WatchedAsync(store.FindAsync(id));

    public ValueTask<TaskRecord?> FindUniqueAsync(string @namespace, string key) => WatchedAsync(store.FindUniqueAsync(@namespace, key));

    public ValueTask<TaskPage> ScanAsync(TaskScan scan) => WatchedAsync(store.ScanAsync(scan));

    public ValueTask<IReadOnlyList<ReadyTask>> ReadReadyAsync(Lane lane, int slotsMax, int limit) => WatchedAsync(store.ReadReadyAsync(lane, slotsMax, limit));

    public ValueTask<DateTimeOffset?> FindOldestAsync(Lane lane) => WatchedAsync(store.FindOldestAsync(lane));

    public ValueTask<int> CountBeforeAsync(TaskRecord task, int limit) => WatchedAsync(store.CountBeforeAsync(task, limit));

    public ValueTask<ChangePage> ReadChangesAsync(long after, int limit) => WatchedAsync(store.ReadChangesAsync(after, limit));

    public ValueTask<LogPage?> ReadLogAsync(TaskId id, long offset, int bytesMax) => WatchedAsync(store.ReadLogAsync(id, offset, bytesMax));

    public ValueTask<ScheduleRecord?> FindScheduleAsync(ScheduleId id) => WatchedAsync(store.FindScheduleAsync(id));

    public ValueTask<SchedulePage> ReadSchedulesAsync(string @namespace, string after, int limit) => WatchedAsync(store.ReadSchedulesAsync(@namespace, after, limit));

    public ValueTask<long> BackUpAsync(string path, CancellationToken cancellation) => store.BackUpAsync(path, cancellation);

    public void Dispose() => _timer?.Dispose();

    private ValueTask<T> WatchedAsync<T>(ValueTask<T> read)
    {
        return read.IsCompletedSuccessfully ? read : WatchAsync();

        async ValueTask<T> WatchAsync()
        {
            try
            {
                return await read.ConfigureAwait(false);
            }
            catch (StorageException fault) when (fault.Fault is StorageFault.Corrupt or StorageFault.InputOutput)
            {
                Note(fault);
                throw;
            }
        }
    }

    private void OnTimer(Action nudge)
    {
        LookForShortage();
        if (!IsWritable)
        {
            _probeDue = true;
            nudge();
        }

        _timer!.Change(LookAgain, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What comes in faster than the timer looks must not use up what is kept for what runs.</summary>
    private void LookAfter(IReadOnlyList<TaskCommand> commands)
    {
        foreach (TaskCommand command in commands)
        {
            if (command is not InsertTasks insert)
                continue;
            foreach (Insertion item in insert.Items)
                _unseenBytes += item.Task.Spec.Payload.Length;
        }

        if (_unseenBytes < UnseenBytesMax)
            return;
        _unseenBytes = 0;
        LookForShortage();
    }

    private void LookForShortage()
    {
        StorageException? shortage = store.FindShortage();
        lock (_lock)
            Apply_NeedsLock(_fault, shortage);
    }

    private void Note(StorageException fault)
    {
        if (fault.Fault is StorageFault.Full or StorageFault.InputOutput or StorageFault.NotAccessible or StorageFault.Corrupt)
            Set(fault);
    }

    private void Set(StorageException? fault)
    {
        lock (_lock)
        {
            if (_fault is not { Fault: StorageFault.Corrupt })
                Apply_NeedsLock(fault, _shortage);
        }
    }

    private void Apply_NeedsLock(StorageException? fault, StorageException? shortage)
    {
        StorageException? before = _fault ?? _shortage;
        (_fault, _shortage) = (fault, shortage);
        StorageException? after = fault ?? shortage;
        if (before?.Fault == after?.Fault)
            return;
        if (after is null)
            Log.StoreRecovered(log);
        else
            Log.StoreTroubled(log, after.Fault, after.Message);
        _changed.SetResult();
        _changed = NewSource();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
