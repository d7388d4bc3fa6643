using GrpcPool.Core.Storage.Packs;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Memory;

/// <summary>
/// Finished tasks by when their retention ends. Those of one retention leave in the order in which they finished, so that each only joins the end of a line, and is packed with its neighbours; the
/// lines are sorted by their first.
/// </summary>
/// <param name="rows">All rows.</param>
internal sealed class ExpiryIndex(RowTable rows)
{
    private readonly Dictionary<TimeSpan, (RowLine Line, PackedTasks Packed)> _lines = [];
    private readonly SortedSet<(DateTimeOffset At, TimeSpan Retention)> _firsts = [];
    private readonly PackWriter _pack = new();

    public DateTimeOffset? Next => _firsts.Count == 0 ? null : _firsts.Min.At;

    public void Add(int row, TaskRecord task)
    {
        TimeSpan retention = task.Spec.Retention;
        if (!_lines.TryGetValue(retention, out (RowLine Line, PackedTasks Packed) group))
            _lines.Add(retention, group = (new RowLine(rows, RowLine.Place.Expiring), new PackedTasks(_pack)));
        int before = group.Line.Last;

        // Of those that finished at the same time the older comes first.
        while (before != RowTable.None && rows[before].ExpiresAt == task.ExpiresAt && rows[before].Sequence > task.Sequence)
            before = group.Line.Before(before);
        group.Line.AddAfter(before, row);
        if (group.Line.Count == 1)
            _firsts.Add(FirstOf(row, retention));
        if (FinishedPack.Takes(task))
            group.Packed.Add(ref rows[row], task);
    }

    public void Remove(int row, TaskRecord task)
    {
        TimeSpan retention = task.Spec.Retention;
        RowLine line = _lines[retention].Line;
        bool first = line.First == row;
        line.Remove(row);
        if (!first)
            return;
        _firsts.Remove(FirstOf(row, retention));
        if (line.First != RowTable.None)
            _firsts.Add(FirstOf(line.First, retention));
        else
            _lines.Remove(retention);
    }

    /// <summary>Those whose retention has ended, at most so many of each line.</summary>
    public IEnumerable<TaskRecord> Due(DateTimeOffset now, int max) => _firsts
        .TakeWhile(first => first.At <= now)
        .SelectMany(first => _lines[first.Retention].Line.Rows.TakeWhile(row => rows[row].ExpiresAt <= now).Take(max).Select(row => rows[row].Task!));

    private (DateTimeOffset At, TimeSpan Retention) FirstOf(int row, TimeSpan retention) => (rows[row].ExpiresAt!.Value, retention);
}
