namespace GrpcPool.Core.Storage.Memory;

/// <summary>A line of rows in which each knows its neighbours, so that joining makes no object: a million finished tasks stand in two lines each.</summary>
/// <param name="place">Which of a row's places belongs to this line.</param>
internal sealed class RowLine(RowLine.Place place)
{
    public enum Place
    {
        Finished,
        Expiring,
    }

    public TaskRow? First { get; private set; }

    public TaskRow? Last { get; private set; }

    public int Count { get; private set; }

    public IEnumerable<TaskRow> Rows
    {
        get
        {
            for (TaskRow? row = First; row is not null; row = row[place].Next)
                yield return row;
        }
    }

    public TaskRow? Before(TaskRow row) => row[place].Previous;

    /// <summary>Lets a row join behind another; null: before all.</summary>
    public void AddAfter(TaskRow? previous, TaskRow row)
    {
        TaskRow? next = previous is null ? First : previous[place].Next;
        row[place] = (previous, next);
        Link(previous, row);
        Link(row, next);
        Count++;
    }

    public void Remove(TaskRow row)
    {
        (TaskRow? previous, TaskRow? next) = row[place];
        row[place] = default;
        Link(previous, next);
        Count--;
    }

    private void Link(TaskRow? previous, TaskRow? next)
    {
        if (previous is null)
            First = next;
        else
            previous[place].Next = next;
        if (next is null)
            Last = previous;
        else
            next[place].Previous = previous;
    }
}
