using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Watching;

/// <summary>What one watch reads of the store, or of what the hub still has, cut by bytes: of large tasks a few at a time. Used by its reader alone.</summary>
internal sealed class WatchReads(WatchHub hub, WatchQuery query, TaskId[] ids, WatchPlace place)
{
    /// <summary>How many tasks of a snapshot are read at a time: fewer while they are large.</summary>
    private int _limit = Watch.EventsMax;

    /// <summary>Whether all watched ids have been found.</summary>
    private bool _known;

    /// <summary>Reads what comes next of a snapshot, and where it goes on; null at its end.</summary>
    /// <exception cref="WatchException">A watched id is unknown.</exception>
    public Task<(List<WatchEvent> Events, long? Next)> ReadSnapshotAsync(long? from, long upTo, CancellationToken cancellation) =>
        query.Filter is { } filter ? ScanAsync(filter, from, upTo, cancellation)
        : ids.Length == 1 ? LookUpAsync(from)
        : InTurnAsync(() => LookUpAsync(from), cancellation);

    public static WatchException OutOfRange(long revision) =>
        new(WatchFault.OutOfRange, $"the changes after revision {revision} are not known here (any more); begin anew without after_revision");

    /// <summary>Looks the next of the watched ids up.</summary>
    private async Task<(List<WatchEvent> Events, long? Next)> LookUpAsync(long? from)
    {
        var events = new List<WatchEvent>();
        Portion portion = place.NextPortion;
        long next = from ?? 0;
        for (; next < ids.Length; next++)
        {
            // One that has gone since the first were told is told as a change.
            TaskRecord? task = await FindAsync(ids[next]).ConfigureAwait(false);
            if (task is null && !_known)
                throw WatchException.NotFound(ids[next]);
            if (task is null)
                continue;
            var told = WatchEvent.Snapshot(task);
            if (!portion.TryAdd(told))
                break;
            events.Add(told);
        }

        // That one is unknown is told before anything else.
        for (long i = next; !_known && i < ids.Length; i++)
            _ = await FindAsync(ids[i]).ConfigureAwait(false) ?? throw WatchException.NotFound(ids[i]);
        _known = true;
        return (events, next < ids.Length ? next : null);
    }

    private async Task<(List<WatchEvent> Events, long? Next)> ScanAsync(TaskFilter filter, long? from, long upTo, CancellationToken cancellation)
    {
        Portion portion = place.NextPortion;
        int limit = Math.Min(_limit, portion.EventsMax);
        TaskPage page = await InTurnAsync(() => hub.Store.ScanAsync(new TaskScan(filter, from, NewestFirst: false, limit)).AsTask(), cancellation).ConfigureAwait(false);
        var events = new List<WatchEvent>(page.Tasks.Count);
        foreach (TaskRecord task in page.Tasks)
        {
            if (task.Sequence > upTo)
                return (events, null);
            var told = WatchEvent.Snapshot(task);
            if (!portion.TryAdd(told))
            {
                _limit = events.Count;
                return (events, events[^1].Change!.Task.Sequence);
            }

            events.Add(told);
        }

        _limit = Math.Min(Watch.EventsMax, 2 * _limit);
        return (events, page.Next <= upTo ? page.Next : null);
    }

    /// <summary>Reads as one of a few that do so at a time: meanwhile nobody has room for what has been read.</summary>
    private async Task<T> InTurnAsync<T>(Func<Task<T>> read, CancellationToken cancellation)
    {
        await hub.Snapshots.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await read().ConfigureAwait(false);
        }
        finally
        {
            hub.Snapshots.Release();
        }
    }

    /// <summary>The next that match, from what the hub still has, else from the store.</summary>
    public async Task<WatchBatch> ReadMatchingAsync(TaskFilter filter, long after, long upTo, CancellationToken cancellation)
    {
        await hub.WhenPublishedAsync(upTo, cancellation).ConfigureAwait(false);
        Portion portion = place.NextPortion;
        ChangeSpan changes = hub.Recent.Read(after, portion.EventsMax) ?? await hub.History.ReadAsync(after, Watch.EventsMax, cancellation).ConfigureAwait(false) ?? throw OutOfRange(after);
        var events = new List<WatchEvent>(changes.Changes.Count);
        foreach (TaskChange change in changes.Changes)
        {
            if (change.Revision <= after || !filter.MatchesApartFromState(change.Task))
                continue;
            var told = WatchEvent.Of(change);
            if (!portion.TryAdd(told))
                return new WatchBatch(events, events[^1].Change!.Revision);
            events.Add(told);
        }

        return new WatchBatch(events, changes.Changes.Count == 0 ? Math.Max(changes.UpTo, upTo) : changes.UpTo);
    }

    /// <summary>Which of the watched tasks have changed, in that order, those that are gone last. One that is newer than the buffer's beginning is left to the buffer.</summary>
    /// <param name="open">The watched tasks that are not known to have ended.</param>
    /// <param name="after">The revision that the reader knows.</param>
    /// <param name="upTo">The buffer's beginning.</param>
    /// <param name="note">Takes note of a task that the reader knows already.</param>
    public async Task<Queue<(TaskId Id, long Revision)>> FindChangedAsync(IReadOnlyCollection<TaskId> open, long after, long upTo, Action<TaskRecord> note)
    {
        if (!(await hub.Store.ReadChangesAsync(after, limit: 1).ConfigureAwait(false)).Complete)
            throw OutOfRange(after);
        var changed = new List<(TaskId Id, long Revision)>();
        foreach (TaskId id in open)
        {
            TaskRecord? task = await FindAsync(id).ConfigureAwait(false);
            if (task is null || (task.Revision > after && task.Revision <= upTo))
                changed.Add((id, task?.Revision ?? upTo));
            else if (task.Revision <= after)
                note(task);
        }

        return new Queue<(TaskId Id, long Revision)>(changed.OrderBy(static one => one.Revision));
    }

    /// <summary>What the next of them are now.</summary>
    public Task<WatchBatch> ReadIdsAsync(IReadOnlyCollection<(TaskId Id, long Revision)> changed, long upTo, CancellationToken cancellation) =>
        changed.Count <= 1 ? ReadIdsAsync(changed, upTo) : InTurnAsync(() => ReadIdsAsync(changed, upTo), cancellation);

    private async Task<WatchBatch> ReadIdsAsync(IEnumerable<(TaskId Id, long Revision)> changed, long upTo)
    {
        var events = new List<WatchEvent>();
        Portion portion = place.NextPortion;
        long last = 0;
        foreach ((TaskId id, long revision) in changed)
        {
            TaskRecord? task = await FindAsync(id).ConfigureAwait(false);
            var told = WatchEvent.Of(task is null ? Gone(id, revision) : new TaskChange(ChangeType.Changed, task, task.Revision));

            // All that have one revision are told together: those that are gone.
            if (!portion.TryAdd(told) && revision > last)
                return new WatchBatch(events, last);
            if (task is null || task.Revision <= upTo)
                events.Add(told);
            last = revision;
        }

        return new WatchBatch(events, upTo);
    }

    private async ValueTask<TaskRecord?> FindAsync(TaskId id) =>
        await hub.Store.FindAsync(id).ConfigureAwait(false) is { } task && query.Scope?.Covers(task.Spec) != false ? task : null;

    /// <summary>Of a task that is gone only the id is known.</summary>
    private static TaskChange Gone(TaskId id, long revision) => new(
        ChangeType.Deleted,
        new TaskRecord
        {
            Id = id,
            Spec = new TaskSpec { Kind = "", Queue = "" },
            Sequence = 0,
            SubmittedAt = default,
            State = default,
            Version = 0,
            Revision = revision,
            UpdatedAt = default,
            RunAt = default,
        },
        revision);
}
