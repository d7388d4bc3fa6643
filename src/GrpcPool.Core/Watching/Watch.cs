using System.Runtime.CompilerServices;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Watching;

/// <summary>One watch: snapshot, changes without a gap, and the way back after having fallen behind. Read by one reader.</summary>
internal sealed class Watch : IDisposable
{
    /// <summary>How many events one batch has at most: as many as make a message of some ten KiB.</summary>
    private const int EventsMax = 256;

    private readonly WatchHub _hub;
    private readonly WatchQuery _query;
    private readonly WatchBuffer _buffer;

    /// <summary>The watched ids that have not ended; a watch by ids ends with the last.</summary>
    private readonly HashSet<TaskId> _open;
    private readonly TaskId[] _ids;
    private readonly CancellationToken _end;

    private Watch(WatchHub hub, WatchQuery query)
    {
        (_hub, _query) = (hub, query);
        _open = [.. query.Ids];
        _ids = [.. _open];
        _end = query.OutlastsDrain ? hub.Closing : hub.Draining;
        _buffer = query.Filter is { } filter ? new WatchBuffer(change => filter.MatchesApartFromState(change.Task), catchesUp: true) : new WatchBuffer(change => query.Scope?.Covers(change.Task.Spec) != false);
    }

    /// <summary>Begins to hear of changes; what happens from now on is not missed.</summary>
    /// <exception cref="WatchException">Too many watch, or the pool shuts down.</exception>
    public static Watch Open(WatchHub hub, WatchQuery query)
    {
        var watch = new Watch(hub, query);
        if (watch._end.IsCancellationRequested)
            throw Ended();
        hub.Register(watch._buffer, watch._ids);
        return watch;
    }

    public void Dispose() => _hub.Unregister(_buffer, _ids);

    /// <summary>Everything there is to tell, until the end. A batch without events is a heartbeat.</summary>
    /// <exception cref="WatchException">The watch cannot begin, or not go on.</exception>
    public async IAsyncEnumerable<WatchBatch> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        long revision;
        if (_query.AfterRevision is { } after)
        {
            revision = after;
            if (after > _hub.Committed)
                throw OutOfRange(after);
            await foreach (WatchBatch batch in CatchUpAsync(after, cancellation).ConfigureAwait(false))
            {
                revision = batch.Revision;
                yield return batch;
            }
        }
        else
        {
            revision = _hub.Committed;
            if (!_query.SkipSnapshot || _ids.Length > 0)
            {
                // Of ids it is looked up in any case whether they are known and which have ended.
                await foreach (WatchBatch batch in SnapshotAsync(revision, cancellation).ConfigureAwait(false))
                {
                    if (!_query.SkipSnapshot)
                        yield return batch;
                }
            }

            await _hub.WhenPublishedAsync(revision, cancellation).ConfigureAwait(false);
            yield return new WatchBatch([WatchEvent.Synced], revision);
        }

        await foreach (WatchBatch batch in FollowAsync(revision, cancellation).ConfigureAwait(false))
            yield return batch;
    }

    /// <summary>Everything from a task as the reader has just got it; opened before, the watch has missed nothing since.</summary>
    public async IAsyncEnumerable<WatchBatch> ReadFromAsync(TaskRecord task, [EnumeratorCancellation] CancellationToken cancellation)
    {
        yield return Note(new WatchBatch([WatchEvent.Snapshot(task), WatchEvent.Synced], task.Revision));
        await foreach (WatchBatch batch in FollowAsync(task.Revision, cancellation).ConfigureAwait(false))
            yield return batch;
    }

    /// <summary>What changes after a revision at which the reader knows the task; nothing since <see cref="Open"/> is missed.</summary>
    private async IAsyncEnumerable<WatchBatch> FollowAsync(long revision, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _end);
        while (_ids.Length == 0 || _open.Count > 0)
        {
            if (_end.IsCancellationRequested && !_query.OutlastsDrain)
                throw Ended();
            if (_buffer.TakeBehind())
            {
                await foreach (WatchBatch batch in CatchUpAsync(revision, cancellation).ConfigureAwait(false))
                {
                    revision = batch.Revision;
                    if (batch.Events.Count > 0)
                        yield return batch;
                }

                continue;
            }

            long published = _hub.Published;
            (List<WatchEvent> events, bool emptied) = _buffer.Take(revision, EventsMax);
            revision = Math.Max(revision, Math.Max(RevisionOf(events), emptied ? published : 0));
            if (events.Count > 0)
                yield return Note(new WatchBatch(events, revision));
            else if (!await ChangeAsync(either.Token).ConfigureAwait(false))
                yield return new WatchBatch([], revision);
        }
    }

    /// <summary>Takes note of a task that the reader knows already.</summary>
    private void Note(TaskRecord task)
    {
        if (task.State.IsFinal())
            _open.Remove(task.Id);
    }

    /// <summary>The newest change that a batch tells; progress is none.</summary>
    public static long RevisionOf(IEnumerable<WatchEvent> events) =>
        events.Where(static told => told.Type is WatchEventType.Changed or WatchEventType.Deleted).Select(static told => told.Change!.Revision).LastOrDefault();

    private async IAsyncEnumerable<WatchBatch> SnapshotAsync(long upTo, [EnumeratorCancellation] CancellationToken cancellation)
    {
        long newest = 0;
        await foreach (IReadOnlyList<TaskRecord> tasks in ReadSnapshotAsync(upTo, cancellation).ConfigureAwait(false))
        {
            if (tasks.Count == 0)
                continue;
            newest = Math.Max(newest, tasks.Max(static task => task.Revision));
            yield return Note(new WatchBatch([.. tasks.Select(WatchEvent.Snapshot)], 0));
        }

        await _hub.WhenPublishedAsync(newest, cancellation).ConfigureAwait(false);
    }

    /// <summary>Reads what there was at a revision, as it is by now. Tasks that came later are told as changes: so it ends, however fast they come.</summary>
    private async IAsyncEnumerable<IReadOnlyList<TaskRecord>> ReadSnapshotAsync(long upTo, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (_query.Filter is not { } filter)
        {
            var tasks = new List<TaskRecord>();
            foreach (TaskId id in _ids)
                tasks.Add(await FindAsync(id).ConfigureAwait(false) ?? throw WatchException.NotFound(id));
            yield return tasks;
            yield break;
        }

        long? from = null;
        do
        {
            TaskPage page = await ReadPageAsync(new TaskScan(filter, from, NewestFirst: false, EventsMax), cancellation).ConfigureAwait(false);
            from = page.Next;
            yield return [.. page.Tasks.TakeWhile(task => task.Sequence <= upTo)];
        }
        while (from <= upTo);
    }

    private async Task<TaskPage> ReadPageAsync(TaskScan scan, CancellationToken cancellation)
    {
        await _hub.Snapshots.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await _hub.Store.ScanAsync(scan).ConfigureAwait(false);
        }
        finally
        {
            _hub.Snapshots.Release();
        }
    }

    /// <summary>
    /// Tells, from the store, what has changed since a revision, up to where the buffer goes on: what was committed by now may have passed it by. Nothing is told before
    /// it has been handed out, so that whatever is older is no longer on its way.
    /// </summary>
    private async IAsyncEnumerable<WatchBatch> CatchUpAsync(long revision, [EnumeratorCancellation] CancellationToken cancellation)
    {
        long upTo = _hub.Committed;
        do
        {
            WatchBatch batch = _query.Filter is { } filter
                ? await ReadMatchingAsync(filter, revision, upTo, cancellation).ConfigureAwait(false)
                : await ReadIdsAsync(revision, upTo).ConfigureAwait(false);
            await _hub.WhenPublishedAsync(batch.Revision, cancellation).ConfigureAwait(false);
            revision = batch.Revision;
            yield return Note(batch);
        }
        while (revision < upTo);
    }

    /// <summary>The next that match, from what the hub still has, else from the store.</summary>
    private async ValueTask<WatchBatch> ReadMatchingAsync(TaskFilter filter, long after, long upTo, CancellationToken cancellation)
    {
        await _hub.WhenPublishedAsync(upTo, cancellation).ConfigureAwait(false);
        ChangeSpan changes = _hub.Recent.Read(after, EventsMax) ?? await _hub.History.ReadAsync(after, EventsMax, cancellation).ConfigureAwait(false) ?? throw OutOfRange(after);
        var events = new List<WatchEvent>(changes.Changes.Count);
        foreach (TaskChange change in changes.Changes)
        {
            if (change.Revision > after && filter.MatchesApartFromState(change.Task))
                events.Add(WatchEvent.Of(change));
        }

        return new WatchBatch(events, changes.Changes.Count == 0 ? Math.Max(changes.UpTo, upTo) : changes.UpTo);
    }

    /// <summary>What the watched tasks are now. One that is newer than the buffer's beginning is left to the buffer.</summary>
    private async Task<WatchBatch> ReadIdsAsync(long after, long upTo)
    {
        if (!(await _hub.Store.ReadChangesAsync(after, limit: 1).ConfigureAwait(false)).Complete)
            throw OutOfRange(after);
        var changes = new List<TaskChange>();
        foreach (TaskId id in _open.ToArray())
        {
            TaskRecord? task = await FindAsync(id).ConfigureAwait(false);
            if (task is null)
                changes.Add(Gone(id, upTo));
            else if (task.Revision > after && task.Revision <= upTo)
                changes.Add(new TaskChange(ChangeType.Changed, task, task.Revision));
            else if (task.Revision <= after)
                Note(task);
        }

        return new WatchBatch([.. changes.OrderBy(static change => change.Revision).Select(WatchEvent.Of)], upTo);
    }

    private async ValueTask<TaskRecord?> FindAsync(TaskId id) =>
        await _hub.Store.FindAsync(id).ConfigureAwait(false) is { } task && _query.Scope?.Covers(task.Spec) != false ? task : null;

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

    /// <summary>Waits for a change; false where it is time for a heartbeat.</summary>
    private async Task<bool> ChangeAsync(CancellationToken cancellation)
    {
        try
        {
            await _buffer.WaitAsync().WaitAsync(_query.Heartbeat, _hub.Time, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // What came just before the end is still told to those who stayed for it.
            return _query.OutlastsDrain && _buffer.WaitAsync().IsCompleted ? true : throw Ended();
        }
    }

    private WatchBatch Note(WatchBatch batch)
    {
        foreach (WatchEvent told in batch.Events)
        {
            if (told.Type == WatchEventType.Deleted)
                _open.Remove(told.Change!.Task.Id);
            else if (told.Type is WatchEventType.Snapshot or WatchEventType.Changed)
                Note(told.Change!.Task);
        }

        return batch;
    }

    private static WatchException Ended() => new(WatchFault.Draining, "the pool shuts down; go on with after_revision when it is back");

    private static WatchException OutOfRange(long revision) =>
        new(WatchFault.OutOfRange, $"the changes after revision {revision} are not known here (any more); begin anew without after_revision");
}
