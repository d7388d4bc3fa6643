using System.Collections.Concurrent;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Execution;
using GrpcPool.Core.Watching;

namespace GrpcPool.Core.Tests.Watching;

/// <summary>Reads a watch to its end and keeps everything it was told.</summary>
internal sealed class WatchReader : IAsyncDisposable
{
    private readonly CancellationTokenSource _leaving = new();
    private readonly ConcurrentQueue<WatchEvent> _told = new();
    private readonly List<(Predicate<WatchEvent> Matches, TaskCompletionSource Found)> _awaited = [];
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _turns = new(0);
    private readonly TaskCompletionSource _silence = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly bool _slow;
    private long _revision;
    private int _heartbeats;

    private WatchReader(Watch watch, bool slow)
    {
        _slow = slow;
        Ended = Task.Run(() => ReadAsync(watch));
    }

    /// <summary>Ends when the watch does; faulted where it was refused or broken off.</summary>
    public Task Ended { get; }

    public IReadOnlyCollection<WatchEvent> Told => _told;

    /// <summary>What the last batch said.</summary>
    public long Revision => Volatile.Read(ref _revision);

    public int Heartbeats => Volatile.Read(ref _heartbeats);

    /// <summary>What it knows of each task, the newest.</summary>
    public IReadOnlyDictionary<TaskId, TaskRecord> View
    {
        get
        {
            var view = new Dictionary<TaskId, TaskRecord>();
            foreach (WatchEvent told in _told)
                Apply(view, told);
            return view;
        }
    }

    public static WatchReader Start(TestPool pool, WatchQuery query, bool slow = false) => new(pool.Pool.Watch(query), slow);

    public static void Apply(IDictionary<TaskId, TaskRecord> view, WatchEvent told)
    {
        if (told.Type == WatchEventType.Deleted)
            view.Remove(told.Change!.Task.Id);
        else if (told.Change is { } change)
            view[change.Task.Id] = change.Task;
    }

    public Task SyncedAsync() => UntilAsync(told => told.Type == WatchEventType.Synced);

    public Task UntilAsync(Predicate<WatchEvent> matches)
    {
        lock (_lock)
        {
            if (_told.Any(told => matches(told)))
                return Task.CompletedTask;
            var found = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((matches, found));
            return found.Task.WaitAsync(TestContext.Current.CancellationToken);
        }
    }

    public Task UntilFinalAsync(string id) => UntilAsync(told => told.Change is { } change && change.Task.Id.Value == id && change.Task.State.IsFinal());

    public Task UntilAllFinalAsync(IEnumerable<string> ids)
    {
        var open = ids.ToHashSet();
        return UntilAsync(told =>
        {
            if (told.Change is { Type: ChangeType.Changed } change && change.Task.State.IsFinal())
                open.Remove(change.Task.Id.Value);
            return open.Count == 0;
        });
    }

    /// <summary>Ends when the first batch without events came.</summary>
    public Task HeartbeatAsync() => _silence.Task.WaitAsync(TestContext.Current.CancellationToken);

    /// <summary>Lets a slow reader read so many more batches.</summary>
    public void Read(int batches) => _turns.Release(batches);

    public async ValueTask DisposeAsync()
    {
        await _leaving.CancelAsync();
        await Ended.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _turns.Dispose();
        _leaving.Dispose();
    }

    private async Task ReadAsync(Watch watch)
    {
        using (watch)
        {
            await foreach (WatchBatch batch in watch.ReadAsync(_leaving.Token))
            {
                if (_slow)
                    await _turns.WaitAsync(_leaving.Token);
                Volatile.Write(ref _revision, batch.Revision);
                Note(batch);
            }
        }
    }

    private void Note(WatchBatch batch)
    {
        if (batch.Events.Count == 0)
        {
            Interlocked.Increment(ref _heartbeats);
            _silence.TrySetResult();
        }

        lock (_lock)
        {
            foreach (WatchEvent told in batch.Events)
            {
                _told.Enqueue(told);
                _awaited.RemoveAll(waiting => waiting.Matches(told) && waiting.Found.TrySetResult());
            }
        }
    }
}
