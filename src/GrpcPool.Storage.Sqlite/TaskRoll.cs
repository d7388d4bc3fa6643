using System.Buffers;
using System.Text.Json;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite.Engine;

namespace GrpcPool.Storage.Sqlite;

/// <summary>Which tasks are in a state, by the commit that has brought them there, in the order of these: an index that costs a row for each commit, not an entry for each task.</summary>
/// <param name="connection">The writer's.</param>
/// <param name="table">Where the rows are.</param>
/// <param name="enteredAt">The revision at which a task has come into the state; 0 where it is not in it.</param>
internal sealed class TaskRoll(Connection connection, string table, Func<TaskRecord, long> enteredAt)
{
    private readonly Statement _find = connection.PrepareFile($"{table}_find");
    private readonly Statement _add = connection.PrepareFile($"{table}_add");
    private readonly Statement _write = connection.PrepareFile($"{table}_write");
    private readonly Statement _remove = connection.PrepareFile($"{table}_remove");
    private readonly ArrayBufferWriter<byte> _text = new();

    /// <summary>The sequences of the tasks that this commit has brought into the state, by the revision and in the order of it, in which they are listed and read.</summary>
    private readonly OrderedDictionary<long, long> _entered = [];

    /// <summary>How many remain of the rows that this commit has taken tasks from.</summary>
    private readonly Dictionary<long, long> _remaining = [];

    /// <summary>The revisions that the row found last is known to have: tasks leave together that have come together.</summary>
    private (long From, long Row) _found;

    /// <summary>Takes note of a change of a task; null is a task that is not, or no longer, there.</summary>
    public void Note(TaskRecord? before, TaskRecord? after)
    {
        long left = before is null ? 0 : enteredAt(before);
        long entered = after is null ? 0 : enteredAt(after);
        if (left == entered)
            return;
        if (left != 0 && !_entered.Remove(left))
            _remaining[RowOf(left)]--;
        if (entered != 0)
            _entered.Add(entered, after!.Sequence);
    }

    /// <summary>Writes what has changed since the last time, at the end of a commit or within it.</summary>
    /// <param name="revision">Of the last change.</param>
    public void Write(long revision)
    {
        foreach ((long row, long remaining) in _remaining)
            (remaining > 0 ? _write.Bind(2, remaining) : _remove).Bind(1, row).Run();
        if (_entered.Count > 0)
            _add.Bind(1, revision).BindText(2, TextOf(revision)).Bind(3, _entered.Count).Run();
        Reset();
    }

    /// <summary>Forgets what was changed in a commit that failed.</summary>
    public void Reset()
    {
        _entered.Clear();
        _remaining.Clear();
        _found = default;
    }

    /// <summary>The row of the commit that has made a revision.</summary>
    private long RowOf(long revision)
    {
        if (revision >= _found.From && revision <= _found.Row)
            return _found.Row;
        if (!_find.Bind(1, revision).Step())
            throw new StorageException(StorageFault.Corrupt, $"what was {table} at revision {revision} is missing in the database");
        _found = (revision, _find.Number(0));
        _remaining.TryAdd(_found.Row, _find.Number(1));
        _find.Reset();
        return _found.Row;
    }

    private ReadOnlySpan<byte> TextOf(long revision)
    {
        _text.ResetWrittenCount();
        using var json = new Utf8JsonWriter(_text);
        json.WriteStartArray();
        foreach (long sequence in _entered.Values)
            json.WriteNumberValue(revision - sequence);
        json.WriteEndArray();
        json.Flush();
        return _text.WrittenSpan;
    }
}
