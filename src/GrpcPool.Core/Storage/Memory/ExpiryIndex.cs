using GrpcPool.Core.Storage.Packs;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Memory;

/// <summary>
/// Finished tasks by when their retention ends. Those of one retention leave in the order in which they finished, so that each only joins the end of a line, and is packed with its neighbours; the
/// lines are sorted by their first.
/// </summary>
internal sealed class ExpiryIndex
{
    private readonly Dictionary<TimeSpan, (RowLine Line, PackedTasks Packed)> _lines = [];
    private readonly SortedSet<(DateTimeOffset At, TimeSpan Retention)> _firsts = [];
    private readonly PackWriter _pack = new();

    public DateTimeOffset? Next => _firsts.Count == 0 ? null : _firsts.Min.At;

    public void Add(TaskRow row)
    {
        TaskRecord task = row.Task!;
        TimeSpan retention = task.Spec.Retention;
        if (!_lines.TryGetValue(retention, out (RowLine Line, PackedTasks Packed) group))
            _lines.Add(retention, group = (new RowLine(RowLine.Place.Expiring), new PackedTasks(_pack)));
        TaskRow? before = group.Line.Last;

        // Of those that finished at the same time the older comes first.
        while (before is not null && before.ExpiresAt == row.ExpiresAt && before.Sequence > row.Sequence)
            before = group.Line.Before(before);
        group.Line.AddAfter(before, row);
        if (group.Line.Count == 1)
            _firsts.Add(FirstOf(row, retention));
        if (FinishedPack.Takes(task))
            group.Packed.Add(row, task);
    }

    public void Remove(TaskRow row, TaskRecord task)
    {
        TimeSpan retention = task.Spec.Retention;
        RowLine line = _lines[retention].Line;
        bool first = line.First == row;
        line.Remove(row);
        if (!first)
            return;
        _firsts.Remove(FirstOf(row, retention));
        if (line.First is { } next)
            _firsts.Add(FirstOf(next, retention));
        else
            _lines.Remove(retention);
    }

    /// <summary>Those whose retention has ended, at most so many of each line.</summary>
    public IEnumerable<TaskRecord> Due(DateTimeOffset now, int max) => _firsts
        .TakeWhile(first => first.At <= now)
        .SelectMany(first => _lines[first.Retention].Line.Rows.TakeWhile(row => row.ExpiresAt <= now).Take(max).Select(static row => row.Task!));

    private static (DateTimeOffset At, TimeSpan Retention) FirstOf(TaskRow row, TimeSpan retention) => (row.ExpiresAt!.Value, retention);
}
