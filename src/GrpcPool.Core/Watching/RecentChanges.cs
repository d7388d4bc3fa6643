using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Watching;

/// <summary>
/// The newest change of each task that changed lately, for watchers that have fallen behind together: the objects are those that were handed out, so that their form on
/// the wire is made once, and the store is not asked. Thread-safe.
/// </summary>
/// <param name="historyMax">How many changes a watch may be behind.</param>
internal sealed class RecentChanges(int historyMax)
{
    /// <summary>How many bytes of payloads and results are kept alive: the tasks themselves may be gone.</summary>
    private const long BytesMax = 16 << 20;

    private readonly int _max = Math.Min(16_384, historyMax);
    private readonly Lock _lock = new();

    /// <summary>Each change at its place modulo the size, without those that a newer one tells; empty while nobody watches.</summary>
    private (long Revision, TaskChange? Change)[] _ring = [];
    private readonly Dictionary<TaskId, long> _places = [];
    private long _first;
    private long _end;
    private long _bytes;

    /// <summary>All changes after it are here.</summary>
    private long _floor;

    /// <summary>Adds the changes of a commit.</summary>
    /// <param name="changes">In the order of revisions.</param>
    /// <param name="before">The newest revision before them.</param>
    public void Add(IReadOnlyList<TaskChange> changes, long before)
    {
        lock (_lock)
        {
            if (_ring.Length == 0)
                (_ring, _floor) = (new (long, TaskChange?)[_max], before);
            foreach (TaskChange change in changes)
            {
                // The end of a retention is told to nobody, and must not hide a final state from those who have not seen it yet.
                if (change.Type is ChangeType.Changed or ChangeType.Deleted)
                    Add_NeedsLock(change);
            }
        }
    }

    /// <summary>Forgets all: nobody watches, or changes have been missed.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            (_ring, _first, _end, _bytes) = ([], 0, 0, 0);
            _places.Clear();
        }
    }

    /// <summary>Reads what comes after a revision, from at most so many changes, and tells up to where; null where that is not known here any more.</summary>
    public ChangeSpan? Read(long after, int limit)
    {
        lock (_lock)
        {
            if (_ring.Length == 0 || after < _floor)
                return null;
            var changes = new List<TaskChange>();
            long upTo = after;
            for (long place = FirstAfter_NeedsLock(after); place < _end && changes.Count < limit; place++)
            {
                (upTo, TaskChange? change) = _ring[place % _max];
                if (change is not null)
                    changes.Add(change);
            }

            return new ChangeSpan(changes, upTo);
        }
    }

    private void Add_NeedsLock(TaskChange change)
    {
        if (_end - _first == _max)
            Drop_NeedsLock();
        if (_places.TryGetValue(change.Task.Id, out long older))
        {
            _bytes -= ChangeSpan.BytesOf(_ring[older % _max].Change!);
            _ring[older % _max].Change = null;
        }

        _places[change.Task.Id] = _end;
        _ring[_end++ % _max] = (change.Revision, change);
        _bytes += ChangeSpan.BytesOf(change);
        while (_bytes > BytesMax)
            Drop_NeedsLock();
    }

    private void Drop_NeedsLock()
    {
        ref (long Revision, TaskChange? Change) oldest = ref _ring[_first++ % _max];
        _floor = oldest.Revision;
        if (oldest.Change is not { } change)
            return;
        _places.Remove(change.Task.Id);
        _bytes -= ChangeSpan.BytesOf(change);
        oldest.Change = null;
    }

    private long FirstAfter_NeedsLock(long revision)
    {
        (long low, long high) = (_first, _end);
        while (low < high)
        {
            long middle = (low + high) / 2;
            if (_ring[middle % _max].Revision <= revision)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
