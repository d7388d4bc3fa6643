using GrpcPool.Storage.Sqlite.Engine;
using SQLitePCL;

namespace GrpcPool.Storage.Sqlite.Guard;

/// <summary>
/// Copies a database in steps, by the connection that writes to it: what is committed between two steps goes into the copy as well. The copy gets its name when it
/// is complete and durable. Not thread-safe.
/// </summary>
internal sealed class Backup : IDisposable
{
    /// <summary>How many pages a step copies, which is how long a commit may have to wait: about a millisecond.</summary>
    private const int PagesPerStep = 256;

    private readonly NewFile _file;
    private readonly Connection _target;
    private readonly sqlite3_backup _copy;

    public Backup(Connection source, string path)
    {
        _file = new NewFile(path);
        try
        {
            _target = Connection.Open(_file.TemporaryPath, readOnly: false);
            _target.Execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF");
            _copy = source.BeginCopy(_target);
        }
        catch
        {
            _target?.Dispose();
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Where the copy is until it is complete.</summary>
    public string TemporaryPath => _file.TemporaryPath;

    /// <summary>Copies some pages. False when all are.</summary>
    public bool Step()
    {
        int code = raw.sqlite3_backup_step(_copy, PagesPerStep);
        return code switch
        {
            raw.SQLITE_OK => true,
            raw.SQLITE_DONE => false,
            _ => throw Faults.Of(code, "the backup could not be written"),
        };
    }

    /// <summary>Lets go of the source. The copy is one file, without a log; who opens it begins with a new floor of revisions, since others may have gone on from here.</summary>
    public void EndCopy()
    {
        if (raw.sqlite3_backup_finish(_copy) is var code and not raw.SQLITE_OK)
            throw Faults.Of(code, "the backup could not be written");
        _target.Execute("PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; UPDATE meta SET may_lose_commits = 1");
    }

    /// <summary>Gives the copy its name.</summary>
    /// <returns>Its size in bytes.</returns>
    public long Complete()
    {
        _target.Dispose();
        return _file.Complete();
    }

    public void Dispose()
    {
        _copy.Dispose();
        _target.Dispose();
        _file.Dispose();
    }
}
