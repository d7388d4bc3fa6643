using GrpcPool.Core.Storage.Packs;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Memory;

/// <summary>The place of one task, whatever its version.</summary>
internal sealed class TaskRow(TaskRecord task)
{
    private (TaskRow?, TaskRow?) _finished;
    private (TaskRow?, TaskRow?) _expiring;

    /// <summary>The task, or the array in which it is packed; null when it is gone.</summary>
    private object? _content = task;
    private int _packedFrom;
    private int _packedLength;
    private PackedTime _expiresAt;

    public TaskId Id { get; } = task.Id;

    public long Sequence { get; } = task.Sequence;

    /// <summary>The task as it is now; null when it is gone. One that is packed is read anew each time.</summary>
    public TaskRecord? Task
    {
        get => _content is byte[] array ? FinishedPack.Read(array.AsSpan(_packedFrom, _packedLength), Id, Sequence, Revision) : (TaskRecord?)_content;
        set => (_content, State, _expiresAt) = (value, value?.State ?? default, value?.ExpiresAt);
    }

    /// <summary>The same, where its payload and result may be parts of the array in which it is packed: for those who let it go soon, since they keep its neighbours' bytes too.</summary>
    public TaskRecord? Shared => _content is byte[] array ? FinishedPack.ReadShared(array.AsMemory(_packedFrom, _packedLength), Id, Sequence, Revision) : Task;

    public bool IsGone => _content is null;

    /// <summary>That of the task.</summary>
    public TaskState State { get; private set; } = task.State;

    /// <summary>That of the task.</summary>
    public DateTimeOffset? ExpiresAt => _expiresAt;

    /// <summary>The revision of its newest change, the removal being the last.</summary>
    public long Revision { get; set; } = task.Revision;

    /// <summary>Whether it has finished and was kept, so that it does not expire in the order in which others have finished.</summary>
    public bool ExpiresApart { get; set; }

    /// <summary>Its neighbours in a line in which it stands.</summary>
    public ref (TaskRow? Previous, TaskRow? Next) this[RowLine.Place place] => ref place == RowLine.Place.Finished ? ref _finished : ref _expiring;

    /// <summary>In the order of offsets; null while it is empty.</summary>
    public List<LogChunk>? Log { get; set; }

    /// <summary>The task, which has finished, is kept as bytes from now on.</summary>
    public void Pack(ArraySegment<byte> bytes) => (_content, _packedFrom, _packedLength) = (bytes.Array, bytes.Offset, bytes.Count);
}

/// <summary>All tasks in the order of their sequence. A removed one leaves a gap, and the gaps are closed when they are the half.</summary>
internal sealed class TaskRows
{
    private const int GapsMin = 1024;

    private readonly List<TaskRow> _rows = [];
    private int _gaps;

    public void Add(TaskRow row) => _rows.Add(row);

    public void CountGap()
    {
        _gaps++;
        if (_gaps < GapsMin || _gaps < _rows.Count / 2)
            return;
        _rows.RemoveAll(static row => row.IsGone);
        _gaps = 0;
    }

    public TaskPage Scan(TaskScan scan, int rowsMax)
    {
        var found = new List<TaskRecord>();
        int step = scan.NewestFirst ? -1 : 1;
        int at = scan.From is { } from ? Edge(from, scan.NewestFirst) : scan.NewestFirst ? _rows.Count - 1 : 0;
        for (int read = 0; at >= 0 && at < _rows.Count; at += step, read++)
        {
            if (found.Count == scan.Limit || read == rowsMax)
                return new TaskPage(found, _rows[at - step].Sequence);
            if (scan.Filter.MatchesState(_rows[at].State) && _rows[at].Task is { } task && scan.Filter.Matches(task))
                found.Add(task);
        }

        return new TaskPage(found, null);
    }

    /// <summary>The place of the first row beyond a sequence, in the direction of the scan.</summary>
    private int Edge(long sequence, bool newestFirst)
    {
        int low = 0, high = _rows.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            bool before = newestFirst ? _rows[middle].Sequence < sequence : _rows[middle].Sequence <= sequence;
            if (before)
                low = middle + 1;
            else
                high = middle;
        }

        return newestFirst ? low - 1 : low;
    }
}
