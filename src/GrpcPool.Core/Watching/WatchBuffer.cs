using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Watching;

/// <summary>
/// What one watcher has yet to be told: of each task the newest change, a bounded number of tasks, in the order of revisions. When there are more, it forgets all and
/// says so: the reader then catches up.
/// </summary>
/// <param name="matches">What is watched.</param>
/// <param name="catchesUp">
/// Whether the reader always catches up, from what all watchers share: then only progress is kept here, and a change costs a watcher that is behind nothing.
/// </param>
internal sealed class WatchBuffer(Func<TaskChange, bool> matches, bool catchesUp = false) : IWatcher
{
    /// <summary>How many tasks are kept. With the records shared, this bounds a watcher at some 100 KiB.</summary>
    private const int TasksMax = 1024;

    private readonly Lock _lock = new();

    /// <summary>By task, what is newest. An idle watcher has none.</summary>
    private Dictionary<TaskId, Slot>? _newest;

    /// <summary>In the order of revisions; a slot whose task has a newer one is empty.</summary>
    private Queue<Slot>? _order;
    private TaskCompletionSource? _awaited;
    private bool _behind;

    /// <summary>Takes a change in, if it is watched.</summary>
    public void Offer(TaskChange change)
    {
        if (change.Type is ChangeType.Pruned or ChangeType.Logged || IsNoNews(change) || !matches(change))
            return;
        lock (_lock)
        {
            if (catchesUp && change.Type != ChangeType.Progressed)
                NoteNews_NeedsLock(change);
            else if (!_behind || catchesUp)
                Add_NeedsLock(change);
            Wake_NeedsLock();
        }
    }

    /// <summary>Changes have been missed.</summary>
    public void Overflow()
    {
        lock (_lock)
        {
            Overflow_NeedsLock();
            Wake_NeedsLock();
        }
    }

    /// <summary>Whether there are changes to catch up with; if so, from now on none is missed again.</summary>
    public bool TakeBehind()
    {
        lock (_lock)
        {
            bool behind = _behind;
            _behind = false;
            return behind;
        }
    }

    /// <summary>Takes out what is newer than a revision, the oldest first; nothing for one who is behind. Tells whether nothing is left.</summary>
    public (List<WatchEvent> Events, bool Emptied) Take(long after, int max)
    {
        var events = new List<WatchEvent>();
        lock (_lock)
        {
            while (!_behind && events.Count < max && _order is not null && _order.TryDequeue(out Slot? slot))
            {
                if (slot.Change is not { } change)
                    continue;
                _newest!.Remove(change.Task.Id);
                if (change.Revision > after || change.Type == ChangeType.Progressed)
                    events.Add(WatchEvent.Of(WithProgress(change, slot.Progress)));
                else if (slot.Progress is { } progress)
                    events.Add(WatchEvent.Of(progress));
            }

            bool emptied = _order is null or { Count: 0 };
            if (emptied)
                (_newest, _order) = (null, null);
            return (events, emptied && !_behind);
        }
    }

    /// <summary>Ends when there is something to take.</summary>
    public Task WaitAsync()
    {
        lock (_lock)
        {
            if (_behind || _order is { Count: > 0 })
                return Task.CompletedTask;
            _awaited ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _awaited.Task;
        }
    }

    /// <summary>Whether it makes no difference: the reader will catch up with it anyway, and no older progress of any task is kept.</summary>
    private bool IsNoNews(TaskChange change) => Volatile.Read(ref _behind) && (!catchesUp || (change.Type != ChangeType.Progressed && Volatile.Read(ref _newest) is null));

    private void NoteNews_NeedsLock(TaskChange change)
    {
        _behind = true;
        if (_newest is not null && _newest.Remove(change.Task.Id, out Slot? older))
            older.Change = null;
    }

    private void Add_NeedsLock(TaskChange change)
    {
        _newest ??= [];
        _order ??= new Queue<Slot>();
        _newest.TryGetValue(change.Task.Id, out Slot? pending);
        if (pending is { Change.Type: ChangeType.Changed } && change.Type == ChangeType.Progressed)
            pending.Progress = change;
        else if (pending is not { Change.Type: ChangeType.Deleted } || change.Type != ChangeType.Progressed)
            Append_NeedsLock(change, pending);
        if (_newest.Count > TasksMax || _order.Count > 4 * TasksMax)
            Overflow_NeedsLock();
    }

    private void Append_NeedsLock(TaskChange change, Slot? replaced)
    {
        if (replaced is not null)
            replaced.Change = null;
        var slot = new Slot { Change = change };
        _newest![change.Task.Id] = slot;
        _order!.Enqueue(slot);
    }

    /// <summary>Progress does not push out a change that nobody has seen yet, but goes with it, at its place.</summary>
    private static TaskChange WithProgress(TaskChange change, TaskChange? progress) =>
        progress is null ? change : new TaskChange(ChangeType.Changed, change.Task with { Progress = progress.Task.Progress }, change.Revision, change.Before);

    private void Overflow_NeedsLock()
    {
        (_newest, _order) = (null, null);
        _behind = true;
    }

    private void Wake_NeedsLock()
    {
        _awaited?.TrySetResult();
        _awaited = null;
    }

    private sealed class Slot
    {
        public TaskChange? Change { get; set; }

        /// <summary>What has been reported since; told alone where the reader knows the change already.</summary>
        public TaskChange? Progress { get; set; }
    }
}
