using GrpcPool.Benchmarks.Load;
using SQLitePCL;

namespace GrpcPool.Benchmarks.Limits;

/// <summary>What SQLite alone can do: inserts, starts and ends the same tasks in a plain table, found by their id, each step in synced transactions.</summary>
internal sealed class RawSqlite : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("grpcpool-benchmarks-");
    private readonly sqlite3 _connection;
    private readonly sqlite3_stmt _insert;
    private readonly sqlite3_stmt _start;
    private readonly sqlite3_stmt _end;
    private readonly byte[] _payload = new byte[PoolLoad.PayloadBytes];
    private long _sequence;

    public RawSqlite()
    {
        Batteries_V2.Init();
        Check(raw.sqlite3_open_v2(Path.Combine(_folder.FullName, "raw.db"), out _connection, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE | raw.SQLITE_OPEN_NOMUTEX, null));
        Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
        Execute("""
            CREATE TABLE task (
                sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, queue TEXT NOT NULL, state INTEGER NOT NULL, payload BLOB NOT NULL,
                submitted_at INTEGER NOT NULL, started_at INTEGER, finished_at INTEGER, result BLOB) STRICT
            """);
        _insert = Prepare("INSERT INTO task (sequence, id, kind, queue, state, payload, submitted_at) VALUES (?1, ?2, 'echo', 'default', 2, ?3, ?4)");
        _start = Prepare("UPDATE task SET state = 3, started_at = ?2 WHERE sequence = ?1");
        _end = Prepare("UPDATE task SET state = 5, finished_at = ?2, result = ?3 WHERE sequence = ?1");
    }

    /// <summary>Tasks per second, through their whole life.</summary>
    public double Live(int tasks, int perTransaction)
    {
        long begin = TimeProvider.System.GetTimestamp();
        for (int lived = 0; lived < tasks; lived += perTransaction)
        {
            long first = _sequence + 1;
            _sequence += perTransaction;
            Commit(first, Insert);
            Commit(first, Start);
            Commit(first, End);
        }

        return tasks / TimeProvider.System.GetElapsedTime(begin).TotalSeconds;
    }

    public void Dispose()
    {
        _insert.Dispose();
        _start.Dispose();
        _end.Dispose();
        _connection.Dispose();
        _folder.Delete(recursive: true);
    }

    private void Commit(long first, Action<long> step)
    {
        Execute("BEGIN IMMEDIATE");
        for (long sequence = first; sequence <= _sequence; sequence++)
            step(sequence);
        Execute("COMMIT");
    }

    private void Insert(long sequence)
    {
        raw.sqlite3_bind_int64(_insert, 1, sequence);
        raw.sqlite3_bind_text(_insert, 2, Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString());
        raw.sqlite3_bind_blob(_insert, 3, _payload);
        raw.sqlite3_bind_int64(_insert, 4, TimeProvider.System.GetUtcNow().Ticks);
        Run(_insert);
    }

    private void Start(long sequence)
    {
        raw.sqlite3_bind_int64(_start, 1, sequence);
        raw.sqlite3_bind_int64(_start, 2, TimeProvider.System.GetUtcNow().Ticks);
        Run(_start);
    }

    private void End(long sequence)
    {
        raw.sqlite3_bind_int64(_end, 1, sequence);
        raw.sqlite3_bind_int64(_end, 2, TimeProvider.System.GetUtcNow().Ticks);
        raw.sqlite3_bind_blob(_end, 3, _payload);
        Run(_end);
    }

    private sqlite3_stmt Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v3(_connection, sql, raw.SQLITE_PREPARE_PERSISTENT, out sqlite3_stmt statement));
        return statement;
    }

    private void Run(sqlite3_stmt statement)
    {
        if (raw.sqlite3_step(statement) != raw.SQLITE_DONE)
            throw new InvalidOperationException(raw.sqlite3_errmsg(_connection).utf8_to_string());
        Check(raw.sqlite3_reset(statement));
    }

    private void Execute(string sql) => Check(raw.sqlite3_exec(_connection, sql));

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK)
            throw new InvalidOperationException(raw.sqlite3_errmsg(_connection).utf8_to_string());
    }
}
