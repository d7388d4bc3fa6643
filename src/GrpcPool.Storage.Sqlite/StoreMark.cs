using GrpcPool.Storage.Sqlite.Engine;

namespace GrpcPool.Storage.Sqlite;

/// <summary>Where the revisions of a store begin and end, and whether its last end was clean.</summary>
internal sealed class StoreMark(Connection connection)
{
    private readonly Statement _read = connection.PrepareFile("meta_read");
    private readonly Statement _write = connection.PrepareFile("meta_write");
    private readonly Statement _newest = connection.PrepareFile("history_newest");

    /// <summary>
    /// Begins with a new floor where the store is new, and where commits may have been lost whose revisions somebody knows: the time in µs is above all of them.
    /// </summary>
    public (long Floor, long Revision) Open(DateTimeOffset now, bool mayLoseCommits)
    {
        connection.Execute("BEGIN IMMEDIATE");
        (long Floor, long HistoryFloor, bool MayHaveLost)? former = Read();
        long revision = Math.Max(Newest(), former?.HistoryFloor ?? 0);
        long floor = former?.Floor ?? 0;
        long historyFloor = former?.HistoryFloor ?? 0;
        if (former is not { MayHaveLost: false })
        {
            revision = floor = historyFloor = Math.Max(revision + 1, (now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
            connection.Execute("DELETE FROM history");
        }

        Write(floor, historyFloor, mayLoseCommits);
        connection.Execute("COMMIT");
        return (floor, revision);
    }

    /// <summary>Writes the mark as it is.</summary>
    public void Touch()
    {
        (long floor, long historyFloor, bool mayLose) = Read()!.Value;
        Write(floor, historyFloor, mayLose);
    }

    /// <summary>The end is clean: nothing can be lost any more.</summary>
    public void Close()
    {
        (long floor, long historyFloor, bool mayLose) = Read()!.Value;
        if (!mayLose)
            return;
        connection.Execute("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)");
        Write(floor, historyFloor, mayLoseCommits: false);
    }

    private (long Floor, long HistoryFloor, bool MayHaveLost)? Read()
    {
        if (!_read.Step())
            return null;
        var mark = (_read.Number(0), _read.Number(1), _read.Number(2) != 0);
        _read.Reset();
        return mark;
    }

    private void Write(long floor, long historyFloor, bool mayLoseCommits) => _write.Bind(1, floor).Bind(2, historyFloor).Bind(3, mayLoseCommits ? 1 : 0).Run();

    private long Newest()
    {
        _newest.Step();
        long newest = _newest.NumberOrNull(0) ?? 0;
        _newest.Reset();
        return newest;
    }
}
