using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Memory;

/// <summary>
/// The rows of all tasks, which are found by their ids. A row is a number: as an object of its own, with an object for its id, each would be copied by the garbage collector twice and looked at ever
/// again. Rows of tasks that are gone are used again.
/// </summary>
internal sealed class RowTable
{
    /// <summary>No row.</summary>
    public const int None = 0;

    /// <summary>So that a page has more than 85,000 bytes: the garbage collector does not move it.</summary>
    private const int PageRows = 2048;

    private readonly List<TaskRow[]> _pages = [];

    /// <summary>The first of the rows whose hashes end alike; a power of two of them.</summary>
    private int[] _firsts = new int[PageRows];
    private int _count;
    private int _firstFree;

    /// <summary>How many rows were ever in use at a time.</summary>
    public int Used { get; private set; }

    public ref TaskRow this[int row] => ref _pages[row / PageRows][row % PageRows];

    /// <summary>The row of a task; <see cref="None"/> where there is no such task.</summary>
    public int Find(TaskId id)
    {
        int hash = id.GetHashCode();
        int row = First(hash);
        while (row != None && !(this[row].Hash == hash && this[row].Has(id)))
            row = this[row].Next;
        return row;
    }

    public int Add(TaskRecord task)
    {
        if (_count == _firsts.Length)
            Grow();
        int row = Take();
        this[row] = new TaskRow(task);
        Link(row);
        _count++;
        return row;
    }

    /// <summary>A task is gone.</summary>
    public void Remove(int row, TaskId id, long revision)
    {
        ref TaskRow gone = ref this[row];
        ref int link = ref First(gone.Hash);
        while (link != row)
            link = ref this[link].Next;
        link = gone.Next;
        gone.Leave(id, revision);
        _count--;
    }

    /// <summary>The row of a task that is gone is free as soon as it is neither listed nor told of.</summary>
    public void FreeIfUnknown(int row)
    {
        ref TaskRow gone = ref this[row];
        if (gone.Exists || gone.Listed || gone.Told)
            return;
        gone = default;
        gone.Next = _firstFree;
        _firstFree = row;
    }

    private ref int First(int hash) => ref _firsts[hash & (_firsts.Length - 1)];

    private int Take()
    {
        int row = _firstFree;
        if (row != None)
        {
            _firstFree = this[row].Next;
            return row;
        }

        row = ++Used;
        if (row / PageRows == _pages.Count)
            _pages.Add(new TaskRow[PageRows]);
        return row;
    }

    private void Link(int row)
    {
        ref int first = ref First(this[row].Hash);
        this[row].Next = first;
        first = row;
    }

    private void Grow()
    {
        _firsts = new int[2 * _firsts.Length];
        for (int row = 1; row <= Used; row++)
        {
            if (this[row].Exists)
                Link(row);
        }
    }
}
