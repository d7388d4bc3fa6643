using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Memory;

/// <summary>All rows in the order of their sequence. A removed task leaves a gap, and the gaps are closed when they are the half.</summary>
internal sealed class RowOrder(RowTable rows)
{
    private const int GapsMin = 1024;

    private readonly List<int> _order = [];
    private int _gaps;

    public void Add(int row) => _order.Add(row);

    public void CountGap()
    {
        _gaps++;
        if (_gaps < GapsMin || _gaps < _order.Count / 2)
            return;
        _order.RemoveAll(row => !rows[row].Exists && Unlist(row));
        _gaps = 0;
    }

    public TaskPage Scan(TaskScan scan, int rowsMax)
    {
        var found = new List<TaskRecord>();
        int step = scan.NewestFirst ? -1 : 1;
        int at = scan.From is { } from ? Edge(from, scan.NewestFirst) : scan.NewestFirst ? _order.Count - 1 : 0;
        for (int read = 0; at >= 0 && at < _order.Count; at += step, read++)
        {
            if (found.Count == scan.Limit || read == rowsMax)
                return new TaskPage(found, rows[_order[at - step]].Sequence);
            ref TaskRow row = ref rows[_order[at]];
            if (scan.Filter.MatchesState(row.State) && row.Task is { } task && scan.Filter.Matches(task))
                found.Add(task);
        }

        return new TaskPage(found, null);
    }

    private bool Unlist(int row)
    {
        rows[row].Listed = false;
        rows.FreeIfUnknown(row);
        return true;
    }

    /// <summary>The place of the first row beyond a sequence, in the direction of the scan.</summary>
    private int Edge(long sequence, bool newestFirst)
    {
        int low = 0, high = _order.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            long there = rows[_order[middle]].Sequence;
            if (newestFirst ? there < sequence : there <= sequence)
                low = middle + 1;
            else
                high = middle;
        }

        return newestFirst ? low - 1 : low;
    }
}
