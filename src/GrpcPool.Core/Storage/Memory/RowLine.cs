namespace GrpcPool.Core.Storage.Memory;

/// <summary>A line of rows in which each knows its neighbours, so that joining makes no object: a million finished tasks stand in two lines each.</summary>
/// <param name="rows">All rows.</param>
/// <param name="place">Which of a row's places belongs to this line.</param>
internal sealed class RowLine(RowTable rows, RowLine.Place place)
{
    public enum Place
    {
        Finished,
        Expiring,
    }

    public int First { get; private set; }

    public int Last { get; private set; }

    public int Count { get; private set; }

    public IEnumerable<int> Rows
    {
        get
        {
            for (int row = First; row != RowTable.None; row = rows[row][place].Next)
                yield return row;
        }
    }

    public int Before(int row) => rows[row][place].Previous;

    /// <summary>Lets a row join behind another; behind none: before all.</summary>
    public void AddAfter(int previous, int row)
    {
        int next = previous == RowTable.None ? First : rows[previous][place].Next;
        rows[row][place] = (previous, next);
        Link(previous, row);
        Link(row, next);
        Count++;
    }

    public void Remove(int row)
    {
        (int previous, int next) = rows[row][place];
        rows[row][place] = default;
        Link(previous, next);
        Count--;
    }

    private void Link(int previous, int next)
    {
        if (previous == RowTable.None)
            First = next;
        else
            rows[previous][place].Next = next;
        if (next == RowTable.None)
            Last = previous;
        else
            rows[next][place].Previous = previous;
    }
}
