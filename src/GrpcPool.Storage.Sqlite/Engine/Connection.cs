using System.Diagnostics.CodeAnalysis;
using GrpcPool.Core.Storage;
using SQLitePCL;

namespace GrpcPool.Storage.Sqlite.Engine;

/// <summary>One connection to a database. Used by one thread at a time.</summary>
internal sealed class Connection : IDisposable
{
    private readonly sqlite3 _handle;
    private readonly List<Statement> _statements = [];

    /// <summary>What SQLite has allocated is not counted, which takes a lock each time; it cannot be told any more once SQLite is in use, and is not needed.</summary>
    static Connection()
    {
        Batteries_V2.Init();
        _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MEMSTATUS, 0);
    }

    private Connection(sqlite3 handle) => _handle = handle;

    /// <summary>The version of SQLite in this process.</summary>
    public static Version Version
    {
        get
        {
            int number = raw.sqlite3_libversion_number();
            return new Version(number / 1_000_000, number / 1000 % 1000, number % 1000);
        }
    }

    /// <exception cref="StorageException">It cannot be opened.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The connection owns the handle.")]
    public static Connection Open(string path, bool readOnly)
    {
        int flags = raw.SQLITE_OPEN_NOMUTEX | (readOnly ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE);
        int code = raw.sqlite3_open_v2(path, out sqlite3 handle, flags, null);
        var connection = new Connection(handle);
        if (code == raw.SQLITE_OK)
            return connection;
        StorageException fault = Faults.Of(handle, code);
        connection.Dispose();
        throw fault;
    }

    public bool InTransaction => raw.sqlite3_get_autocommit(_handle) == 0;

    public Statement Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v3(_handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out sqlite3_stmt handle));
        var statement = new Statement(this, handle);
        _statements.Add(statement);
        return statement;
    }

    /// <summary>Executes statements that are not needed again, and ignores their rows.</summary>
    public void Execute(string sql) => Check(raw.sqlite3_exec(_handle, sql));

    /// <summary>The number that a statement not needed again answers.</summary>
    public long ReadNumber(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_handle, sql, out sqlite3_stmt handle));
        using (handle)
            return raw.sqlite3_step(handle) == raw.SQLITE_ROW ? raw.sqlite3_column_int64(handle, 0) : throw Faults.Of(_handle, raw.sqlite3_errcode(_handle));
    }

    /// <summary>The text that a statement not needed again answers.</summary>
    public string ReadText(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_handle, sql, out sqlite3_stmt handle));
        using (handle)
            return raw.sqlite3_step(handle) == raw.SQLITE_ROW ? raw.sqlite3_column_text(handle, 0).utf8_to_string() ?? "" : throw Faults.Of(_handle, raw.sqlite3_errcode(_handle));
    }

    /// <summary>Begins to copy this database into an empty one.</summary>
    public sqlite3_backup BeginCopy(Connection target) => raw.sqlite3_backup_init(target._handle, "main", _handle, "main") ?? throw Faults.Of(target._handle, raw.sqlite3_errcode(target._handle));

    /// <summary>Ends what a fault has left open.</summary>
    public void Rollback()
    {
        foreach (Statement statement in _statements)
            statement.Reset();
        if (InTransaction)
            Execute("ROLLBACK");
    }

    public void Check(int code)
    {
        if (code != raw.SQLITE_OK)
            throw Faults.Of(_handle, code);
    }

    public StorageException Fault(int code) => Faults.Of(_handle, code);

    public void Dispose()
    {
        foreach (Statement statement in _statements)
            statement.Dispose();
        _handle.Dispose();
    }
}
