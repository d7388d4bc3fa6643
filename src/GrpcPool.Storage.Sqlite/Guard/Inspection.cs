using GrpcPool.Core.Storage;
using GrpcPool.Storage.Sqlite.Engine;
using GrpcPool.Storage.Sqlite.Rows;

namespace GrpcPool.Storage.Sqlite.Guard;

/// <summary>A look at every page and every row of a database, which may be served meanwhile. Nothing is changed by it.</summary>
internal sealed class Inspection
{
    /// <summary>How much damage is listed.</summary>
    private const int DamageMax = 100;

    private readonly Connection _connection;
    private readonly List<string> _damage = [];

    private Inspection(Connection connection) => _connection = connection;

    /// <summary>What is wrong with a database, in words; nothing, if nothing is.</summary>
    /// <exception cref="StorageException">It cannot be read at all, or is none that this version knows.</exception>
    public static (IReadOnlyList<string> Damage, long Tasks) Of(string path)
    {
        if (!File.Exists(path))
            throw new StorageException(StorageFault.NotAccessible, $"there is no file {path}");
        StartCheck.CheckFiles(path);

        // Before the database is read: it may be served, and its revision goes on.
        long recorded = CommitRecord.Read(path).Revision;
        using Connection connection = DatabaseFile.OpenReader(path);
        var inspection = new Inspection(connection);
        connection.Execute("BEGIN");
        StartCheck.Check(connection, new SqliteOptions(path, default, 0) { FullCheckBytesMax = 0 }, recorded);
        if (connection.ReadNumber("PRAGMA user_version") != SqlText.Migrations.Count)
            throw new StorageException(StorageFault.WrongVersion, $"{path} has another schema than this grpcpool makes: use the grpcpool that has written it");
        inspection.Look(inspection.ReadPages);
        return (inspection._damage, inspection.ReadRows());
    }

    /// <summary>What is wrong with the rows of a database; null for nothing.</summary>
    public static string? FindDamage(Connection connection)
    {
        var inspection = new Inspection(connection);
        inspection.ReadRows();
        return inspection._damage.FirstOrDefault();
    }

    /// <returns>How many tasks there are.</returns>
    private long ReadRows()
    {
        long tasks = 0;
        Look(ReadInvariants);
        Look(() => tasks = ReadTasks());
        Look(ReadLogs);
        Look(ReadHistory);
        Look(() => new ScheduleRows(_connection).ReadAll(Look));
        return tasks;
    }

    private void Look(Action look)
    {
        try
        {
            look();
        }
        catch (StorageException fault) when (fault.Fault == StorageFault.Corrupt)
        {
            Note(fault.Message);
        }
    }

    private void ReadPages()
    {
        Statement rows = _connection.Prepare($"PRAGMA integrity_check({DamageMax})");
        while (rows.Step())
        {
            if (rows.Text(0) is var found and not "ok")
                Note(found);
        }
    }

    private void ReadInvariants()
    {
        Statement rows = _connection.PrepareFile("check_invariants");
        while (rows.Step())
        {
            if (rows.Number(1) != 0)
                Note($"{rows.Number(1)} {rows.Text(0)}");
        }
    }

    /// <summary>Each row has a checksum of its own, so that what no rule of the schema forbids is noticed as well.</summary>
    private long ReadTasks()
    {
        var tasks = new TaskRows(_connection, new LaneNames());
        Statement rows = _connection.PrepareFile("task_scan_oldest_first").Bind(1, 0);
        var relations = new RelationCount();
        long count = 0;
        for (; rows.Step(); count++)
            Look(() => relations.Add(tasks.Read(rows)));
        foreach (string difference in relations.Compare(_connection))
            Note(difference);
        return count;
    }

    private void ReadLogs()
    {
        Statement rows = _connection.PrepareFile("log_read_all");
        while (rows.Step())
            Look(() => LogTable.Read(rows));
    }

    private void ReadHistory()
    {
        Statement rows = _connection.PrepareFile("history_after").Bind(1, 0);
        while (rows.Step())
            Look(() => ChangesPack.Read(rows.Number(0), rows.Blob(1)));
    }

    private void Note(string damage)
    {
        if (_damage.Count < DamageMax)
            _damage.Add(damage);
    }
}
