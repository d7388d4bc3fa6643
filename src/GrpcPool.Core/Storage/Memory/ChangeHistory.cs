using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Memory;

/// <summary>The newest changes, a bounded number, oldest first.</summary>
/// <param name="rows">All rows.</param>
/// <param name="floor">The revision before the first change.</param>
/// <param name="max">How many changes are kept.</param>
internal sealed class ChangeHistory(RowTable rows, long floor, int max)
{
    private (long Revision, int Row)[] _ring = new (long, int)[Math.Min(max, 1024)];
    private int _first;
    private int _count;

    /// <summary>Changes up to here are no longer known.</summary>
    public long Floor { get; private set; } = floor;

    public void Add(long revision, int row)
    {
        if (_count == _ring.Length && _count < max)
            Grow();
        if (_count == _ring.Length)
            Forget(_ring[_first].Revision, _ring[_first].Row);

        _ring[(_first + _count) % _ring.Length] = (revision, row);
        _count++;
    }

    /// <summary>Of each task only its newest change is told: older ones are told by it.</summary>
    public ChangePage Read(long after, int limit, long newest)
    {
        var changes = new List<HistoricChange>();
        for (int i = CountUpTo(after); i < _count; i++)
        {
            (long revision, int place) = _ring[(_first + i) % _ring.Length];
            if (changes.Count == limit)
                return new ChangePage(changes, revision - 1, Complete: true);
            ref TaskRow row = ref rows[place];
            if (row.Revision != revision)
                continue;
            TaskRecord? task = row.Shared;
            changes.Add(new HistoricChange(task?.Id ?? row.GoneId, revision, task));
        }

        return new ChangePage(changes, newest, Complete: true);
    }

    /// <summary>The oldest change is no longer told.</summary>
    private void Forget(long revision, int row)
    {
        Floor = revision;
        _first = (_first + 1) % _ring.Length;
        _count--;
        if (rows[row].Revision != revision)
            return;
        rows[row].Told = false;
        rows.FreeIfUnknown(row);
    }

    private int CountUpTo(long revision)
    {
        int low = 0, high = _count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_ring[(_first + middle) % _ring.Length].Revision <= revision)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    private void Grow()
    {
        var grown = new (long, int)[(int)Math.Min(max, 2L * _ring.Length)];
        for (int i = 0; i < _count; i++)
            grown[i] = _ring[(_first + i) % _ring.Length];
        (_ring, _first) = (grown, 0);
    }
}
