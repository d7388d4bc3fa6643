using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Watching;

/// <summary>
/// What one watcher has yet to be told: of each task the newest change, a bounded number of tasks, in the order of revisions. When there are more, or the buffers of all
/// watchers together hold too much, it forgets all and says so: the reader then catches up.
/// </summary>
/// <param name="matches">What is watched.</param>
/// <param name="buffered">What the buffers of all watchers hold.</param>
/// <param name="catchesUp">
/// Whether the reader always catches up, from what all watchers share: then only progress is kept here, and a change costs a watcher that is behind nothing.
/// </param>
internal sealed class WatchBuffer(Func<TaskChange, bool> matches, BufferedBytes buffered, bool catchesUp = false) : IWatcher
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
    private bool _closed;

    /// <summary>Whether a change makes no difference: the reader will catch up with it anyway, and has no older progress of any task.</summary>
    public bool IsBehind => Volatile.Read(ref _behind) && (!catchesUp || Volatile.Read(ref _newest) is not { Count: > 0 });

    /// <summary>Takes a change in, if it is watched.</summary>
    public void Offer(TaskChange change)
    {
        if (change.Type is ChangeType.Pruned or ChangeType.Logged || IsNoNews(change) || !matches(change))
            return;
        lock (_lock)
        {
            if (_closed)
                return;
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

    /// <summary>Nobody reads it any more.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            Overflow_NeedsLock();
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
    public (List<WatchEvent> Events, bool Emptied) Take(long after, Portion portion)
    {
        var events = new List<WatchEvent>();
        lock (_lock)
        {
            while (!_behind && events.Count < portion.EventsMax && _order is not null && _order.TryPeek(out Slot? slot))
            {
                if (slot.Tell(after) is { } told)
                {
                    if (!portion.TryAdd(told))
                        break;
                    events.Add(told);
                }

                _order.Dequeue();
                if (slot.Change is { } change)
                    _newest!.Remove(change.Task.Id);
                Forget(slot);
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

    private bool IsNoNews(TaskChange change) => IsBehind && (!catchesUp || change.Type != ChangeType.Progressed);

    private void NoteNews_NeedsLock(TaskChange change)
    {
        _behind = true;
        if (_newest is not null && _newest.Remove(change.Task.Id, out Slot? older))
            Forget(older);
    }

    private void Add_NeedsLock(TaskChange change)
    {
        if (change.Type == ChangeType.Progressed && buffered.IsHalfFull && ChangeSpan.BytesOf(change) > 0)
            return;
        _newest ??= [];
        _order ??= new Queue<Slot>();
        _newest.TryGetValue(change.Task.Id, out Slot? pending);
        if (pending is { Change.Type: ChangeType.Changed } && change.Type == ChangeType.Progressed)
            SetProgress(pending, change);
        else if (pending is not { Change.Type: ChangeType.Deleted } || change.Type != ChangeType.Progressed)
            Append_NeedsLock(change, pending);
        if (_newest.Count > TasksMax || _order.Count > 4 * TasksMax || (buffered.IsFull && ChangeSpan.BytesOf(change) > 0))
            Overflow_NeedsLock();
    }

    private void Append_NeedsLock(TaskChange change, Slot? replaced)
    {
        if (replaced is not null)
            Forget(replaced);
        var slot = new Slot { Change = change };
        buffered.Add(change);
        _newest![change.Task.Id] = slot;
        _order!.Enqueue(slot);
    }

    private void SetProgress(Slot slot, TaskChange progress)
    {
        if (slot.Progress is { } older)
            buffered.Remove(older);
        slot.Progress = progress;
        buffered.Add(progress);
    }

    private void Forget(Slot slot)
    {
        if (slot.Change is { } change)
            buffered.Remove(change);
        if (slot.Progress is { } progress)
            buffered.Remove(progress);
        (slot.Change, slot.Progress) = (null, null);
    }

    private void Overflow_NeedsLock()
    {
        foreach (Slot slot in _order ?? [])
            Forget(slot);
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

        /// <summary>What it tells a reader who knows all up to a revision; null for nothing. Progress does not push out a change that nobody has seen yet, but goes with it, at its place.</summary>
        public WatchEvent? Tell(long after)
        {
            bool isNews = Change is { } change && (change.Revision > after || change.Type == ChangeType.Progressed);
            TaskChange? told = isNews ? WithProgress(Change!, Progress) : Progress;
            return told is null ? null : WatchEvent.Of(told);
        }

        private static TaskChange WithProgress(TaskChange change, TaskChange? progress) =>
            progress is null ? change : new TaskChange(ChangeType.Changed, change.Task with { Progress = progress.Task.Progress }, change.Revision, change.Before);
    }
}
