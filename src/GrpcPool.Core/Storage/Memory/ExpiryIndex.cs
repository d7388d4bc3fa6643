using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Memory;

/// <summary>
/// Finished tasks by when their retention ends. Those of one retention leave in the order in which they finished, so that each only joins the end of a line; the lines
/// are sorted by their first.
/// </summary>
internal sealed class ExpiryIndex
{
    private readonly Dictionary<TimeSpan, RowLine> _lines = [];
    private readonly SortedSet<(DateTimeOffset At, TimeSpan Retention)> _firsts = [];

    public DateTimeOffset? Next => _firsts.Count == 0 ? null : _firsts.Min.At;

    public void Add(TaskRow row)
    {
        TaskRecord task = row.Task!;
        if (!_lines.TryGetValue(task.Spec.Retention, out RowLine? line))
            _lines.Add(task.Spec.Retention, line = new RowLine(RowLine.Place.Expiring));
        TaskRow? before = line.Last;

        // Of those that finished at the same time the older comes first.
        while (before is not null && before.Task!.ExpiresAt == task.ExpiresAt && before.Sequence > row.Sequence)
            before = line.Before(before);
        line.AddAfter(before, row);
        if (line.Count == 1)
            _firsts.Add(FirstOf(task));
    }

    public void Remove(TaskRow row, TaskRecord task)
    {
        RowLine line = _lines[task.Spec.Retention];
        bool first = line.First == row;
        line.Remove(row);
        if (!first)
            return;
        _firsts.Remove(FirstOf(task));
        if (line.First is { } next)
            _firsts.Add(FirstOf(next.Task!));
        else
            _lines.Remove(task.Spec.Retention);
    }

    /// <summary>Those whose retention has ended, at most so many of each line.</summary>
    public IEnumerable<TaskRecord> Due(DateTimeOffset now, int max) => _firsts
        .TakeWhile(first => first.At <= now)
        .SelectMany(first => _lines[first.Retention].Rows.Select(static row => row.Task!).TakeWhile(task => task.ExpiresAt <= now).Take(max));

    private static (DateTimeOffset At, TimeSpan Retention) FirstOf(TaskRecord task) => (task.ExpiresAt!.Value, task.Spec.Retention);
}
