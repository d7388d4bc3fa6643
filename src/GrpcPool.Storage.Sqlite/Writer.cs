using GrpcPool.Core.Storage;
using GrpcPool.Storage.Sqlite.Engine;

namespace GrpcPool.Storage.Sqlite;

/// <summary>The one connection that writes: each commit is one transaction. Not thread-safe.</summary>
internal sealed class Writer : IDisposable
{
    private readonly Connection _connection;
    private readonly StoreMark _mark;
    private readonly LaneTable _lanes;
    private readonly SqliteTaskTable _table;
    private readonly Statement _begin;
    private readonly Statement _commit;

    /// <summary>The newest revision before a commit that failed and is not undone yet; else null.</summary>
    private long? _undoTo;

    public Writer(Connection connection, LaneNames names, int historyMax)
    {
        _connection = connection;
        _mark = new StoreMark(connection);
        _lanes = new LaneTable(connection, names);
        _table = new SqliteTaskTable(connection, _lanes, new History(connection, historyMax), names);
        _begin = connection.Prepare("BEGIN IMMEDIATE");
        _commit = connection.Prepare("COMMIT");
    }

    /// <summary>Finds out how the store stands.</summary>
    /// <param name="now">The time, at which the revisions of a new store begin.</param>
    /// <param name="mayLoseCommits">Whether commits may be lost with the power from now on.</param>
    public StoreState Open(DateTimeOffset now, bool mayLoseCommits)
    {
        (long floor, _table.Revision) = _mark.Open(now, mayLoseCommits);
        _lanes.Load();
        return new StoreState(floor, _table.Revision, _table.NextWake, [.. _lanes.All], _table.Running, _table.Kinds) { Settings = _table.Settings };
    }

    public CommitResult Commit(IReadOnlyList<TaskCommand> commands, DateTimeOffset now)
    {
        Undo();
        _undoTo = _table.Revision;
        try
        {
            _begin.Run();
            CommitResult result = CommandInterpreter.Execute(_table, commands, now, End);
            _table.Settle();
            _undoTo = null;
            return result;
        }
        catch
        {
            TryUndo();
            throw;
        }
    }

    /// <summary>Commits what changes nothing, but is written and synced.</summary>
    public void Probe()
    {
        Undo();
        _mark.Touch();
    }

    /// <summary>Ends in good order: everything is in the database itself, and durable.</summary>
    public void Close() => _mark.Close();

    public void Dispose() => _connection.Dispose();

    private void TryUndo()
    {
        try
        {
            Undo();
        }
        catch (StorageException)
        {
            // It is tried again before the next commit; the fault that led here is the one to tell.
        }
    }

    private void Undo()
    {
        if (_undoTo is not { } revision)
            return;
        _connection.Rollback();
        _table.Reset(revision);
        _undoTo = null;
    }

    private (long Revision, DateTimeOffset? NextWake) End()
    {
        _table.WriteTogether();
        DateTimeOffset? nextWake = _table.NextWake;
        _commit.Run();
        return (_table.Revision, nextWake);
    }
}
