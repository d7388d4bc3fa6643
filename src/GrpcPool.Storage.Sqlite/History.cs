using GrpcPool.Core.Storage.Packs;
using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite.Engine;
using GrpcPool.Storage.Sqlite.Rows;

namespace GrpcPool.Storage.Sqlite;

/// <summary>Writes what each commit changed, one packed row a commit, and trims the oldest rows.</summary>
/// <param name="connection">The writer's.</param>
/// <param name="max">How many changes are kept.</param>
internal sealed class History(Connection connection, int max)
{
    /// <summary>How many rows one commit trims at most: more than it adds, so that a smaller bound is reached in time.</summary>
    private const int TrimmedRowsMax = 16;

    private readonly Statement _add = connection.PrepareFile("history_add");
    private readonly Statement _oldest = connection.PrepareFile("history_oldest");
    private readonly Statement _remove = connection.PrepareFile("history_remove");
    private readonly Statement _floor = connection.PrepareFile("meta_history_floor");
    private readonly PackWriter _pack = new();
    private readonly List<PackedChange> _changes = [];

    public void Changed(TaskRecord task) => _changes.Add(new PackedChange(task.Sequence, default));

    public void Removed(TaskRecord task) => _changes.Add(new PackedChange(0, task.Id));

    /// <summary>Forgets what was changed in a commit that failed.</summary>
    public void Reset() => _changes.Clear();

    /// <summary>Writes what the commit has changed.</summary>
    /// <param name="revision">Of the last change.</param>
    public void Write(long revision)
    {
        if (_changes.Count == 0)
            return;
        ChangesPack.Write(_pack.Clear(), _changes);
        _add.Bind(1, revision).Bind(2, _pack.Seal(Checksum.None.Add(revision))).Run();
        _changes.Clear();
        Trim(revision - max);
    }

    private void Trim(long upTo)
    {
        long last = 0;
        _oldest.Bind(1, upTo).Bind(2, TrimmedRowsMax);
        while (_oldest.Step())
            last = _oldest.Number(0);
        if (last == 0)
            return;
        _remove.Bind(1, last).Run();
        _floor.Bind(1, last).Run();
    }
}
