using System.Runtime.CompilerServices;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Watching;

/// <summary>One watch: snapshot, changes without a gap, and the way back after having fallen behind. Read by one reader.</summary>
internal sealed class Watch : IDisposable
{
    /// <summary>How many events one batch has at most: as many as make a message of some ten KiB.</summary>
    public const int EventsMax = 256;

    private readonly WatchHub _hub;
    private readonly WatchQuery _query;
    private readonly WatchBuffer _buffer;

    /// <summary>The watched ids that have not ended; a watch by ids ends with the last.</summary>
    private readonly HashSet<TaskId> _open;
    private readonly TaskId[] _ids;
    private readonly CancellationToken _end;

    private readonly WatchReads _reads;

    private Watch(WatchHub hub, WatchQuery query)
    {
        (_hub, _query) = (hub, query);
        _open = [.. query.Ids];
        _ids = [.. _open];
        _end = query.OutlastsDrain ? hub.Closing : hub.Draining;
        _buffer = query.Filter is { } filter
            ? new WatchBuffer(change => filter.MatchesApartFromState(change.Task), hub.Rooms.Buffered, catchesUp: true)
            : new WatchBuffer(change => query.Scope?.Covers(change.Task.Spec) != false, hub.Rooms.Buffered);
        Place = new WatchPlace(hub.Rooms, _end);
        _reads = new WatchReads(hub, query, _ids, Place);
    }

    /// <summary>What its reader holds of what it is told.</summary>
    public WatchPlace Place { get; }

    /// <summary>Begins to hear of changes; what happens from now on is not missed.</summary>
    /// <exception cref="WatchException">Too many watch, or the pool shuts down.</exception>
    public static Watch Open(WatchHub hub, WatchQuery query)
    {
        var watch = new Watch(hub, query);
        if (watch._end.IsCancellationRequested)
            throw WatchException.Ended();
        hub.Register(watch._buffer, watch._ids);
        return watch;
    }

    public void Dispose()
    {
        _hub.Unregister(_buffer, _ids);
        _buffer.Close();
        Place.Release();
    }

    /// <summary>Everything there is to tell, until the end. A batch without events is a heartbeat.</summary>
    /// <exception cref="WatchException">The watch cannot begin, or not go on.</exception>
    public async IAsyncEnumerable<WatchBatch> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        long revision;
        if (_query.AfterRevision is { } after)
        {
            revision = after;
            if (after > _hub.Committed)
                throw WatchReads.OutOfRange(after);
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
        WatchBatch first = Note(new WatchBatch([WatchEvent.Snapshot(task), WatchEvent.Synced], task.Revision));
        if (!Place.TryKeep(first.Events))
            await Place.WaitAsync(cancellation).ConfigureAwait(false);
        yield return first;
        Place.Leave();
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
                throw WatchException.Ended();
            if (_buffer.TakeBehind())
            {
                if (_query.Filter is not null)
                    _hub.Resume(_buffer);
                await foreach (WatchBatch batch in CatchUpAsync(revision, cancellation).ConfigureAwait(false))
                {
                    revision = batch.Revision;
                    if (batch.Events.Count > 0)
                        yield return batch;
                }

                continue;
            }

            long published = _hub.Published;
            (List<WatchEvent> events, bool emptied) = _buffer.Take(revision, Place.NextPortion);
            if (!Place.TryKeep(events))
            {
                // They are read again, from the store.
                events = [];
                _buffer.Overflow();
                await Place.WaitAsync(cancellation).ConfigureAwait(false);
                continue;
            }

            revision = Math.Max(revision, Math.Max(RevisionOf(events), emptied ? published : 0));
            if (events.Count > 0)
            {
                yield return Note(new WatchBatch(events, revision));
                Place.Leave();
            }
            else if (!await ChangeAsync(either.Token).ConfigureAwait(false))
            {
                yield return new WatchBatch([], revision);
            }
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
        await foreach (IReadOnlyList<WatchEvent> events in ReadSnapshotAsync(upTo, cancellation).ConfigureAwait(false))
        {
            if (events.Count == 0)
                continue;
            newest = Math.Max(newest, events.Max(static told => told.Change!.Revision));
            yield return Note(new WatchBatch(events, 0));
            Place.Leave();
        }

        await _hub.WhenPublishedAsync(newest, cancellation).ConfigureAwait(false);
    }

    /// <summary>Reads what there was at a revision, as it is by now. Tasks that came later are told as changes: so it ends, however fast they come.</summary>
    private async IAsyncEnumerable<List<WatchEvent>> ReadSnapshotAsync(long upTo, [EnumeratorCancellation] CancellationToken cancellation)
    {
        long? next = null;
        do
        {
            (List<WatchEvent> events, long? rest) = await _reads.ReadSnapshotAsync(next, upTo, cancellation).ConfigureAwait(false);
            while (!Place.TryKeep(events))
            {
                events = [];
                await Place.WaitAsync(cancellation).ConfigureAwait(false);
                (events, rest) = await _reads.ReadSnapshotAsync(next, upTo, cancellation).ConfigureAwait(false);
            }

            yield return events;
            next = rest;
        }
        while (next is not null);
    }

    /// <summary>
    /// Tells, from the store, what has changed since a revision, up to where the buffer goes on: what was committed by now may have passed it by. Nothing is told before
    /// it has been handed out, so that whatever is older is no longer on its way.
    /// </summary>
    private async IAsyncEnumerable<WatchBatch> CatchUpAsync(long revision, [EnumeratorCancellation] CancellationToken cancellation)
    {
        long upTo = _hub.Committed;
        Queue<(TaskId Id, long Revision)> changed = _query.Filter is null ? await _reads.FindChangedAsync([.. _open], revision, upTo, Note).ConfigureAwait(false) : [];
        do
        {
            WatchBatch batch = await ReadAsync().ConfigureAwait(false);
            while (!Place.TryKeep(batch.Events))
            {
                batch = default;
                await Place.WaitAsync(cancellation).ConfigureAwait(false);
                batch = await ReadAsync().ConfigureAwait(false);
            }

            await _hub.WhenPublishedAsync(batch.Revision, cancellation).ConfigureAwait(false);
            revision = batch.Revision;
            while (changed.TryPeek(out (TaskId Id, long Revision) told) && told.Revision <= revision)
                changed.Dequeue();
            yield return Note(batch);
            Place.Leave();
        }
        while (revision < upTo);

        Task<WatchBatch> ReadAsync() => _query.Filter is { } filter ? _reads.ReadMatchingAsync(filter, revision, upTo, cancellation) : _reads.ReadIdsAsync(changed, upTo, cancellation);
    }

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
            return _query.OutlastsDrain && _buffer.WaitAsync().IsCompleted ? true : throw WatchException.Ended();
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
}
