using GrpcPool.Core.Storage;
using GrpcPool.Storage.Sqlite.Engine;

namespace GrpcPool.Storage.Sqlite.Guard;

/// <summary>
/// What is looked at before a database is served: its files, whether it is one of the pool's, its schema, whether the newest commits are there, and of a small one every page and row.
/// Nothing is changed by it.
/// </summary>
internal static class StartCheck
{
    private const string Remedy = "Nothing was changed. Keep the files, see what 'grpcpool check' says, and restore a backup ('grpcpool restore') at a new Storage:Path.";

    /// <summary>Looks at the files, before SQLite opens them: it deletes a log whose database is empty.</summary>
    /// <exception cref="StorageException">They are damaged.</exception>
    public static void CheckFiles(string path)
    {
        if (Length(path) == 0 && Length($"{path}-wal") > 0)
            throw Damaged(path, "the database is empty or missing, but its log is there");
    }

    /// <param name="connection">One that has read nothing yet.</param>
    /// <param name="options">Where the database is, and how much of it is looked at.</param>
    /// <param name="recorded">The newest revision that was committed, as far as known; else 0.</param>
    /// <exception cref="StorageException">It is damaged, or none of the pool's.</exception>
    public static void Check(Connection connection, SqliteOptions options, long recorded)
    {
        long version = connection.ReadNumber("PRAGMA user_version");
        bool isEmpty = connection.ReadNumber("SELECT count(*) FROM sqlite_master") == 0;
        if (version == 0 && !isEmpty)
            throw new StorageException(StorageFault.WrongVersion, $"{options.Path} is a database of another program. Change Storage:Path; nothing was changed.");
        if (version == 0 ? recorded > 0 : IsBehind(connection, recorded))
            throw Damaged(options.Path, "commits that were acknowledged are missing at the end of its log");
        if (version == SqlText.Migrations.Count)
            CheckSchema(connection, options.Path);
        if (Length(options.Path) + Length($"{options.Path}-wal") > options.FullCheckBytesMax)
            return;
        if (connection.ReadText("PRAGMA integrity_check(1)") is var found and not "ok")
            throw Damaged(options.Path, found);
        if (version == SqlText.Migrations.Count && Inspection.FindDamage(connection) is { } damage)
            throw Damaged(options.Path, damage);
    }

    public static StorageException Damaged(string path, string what) => new(StorageFault.Corrupt, $"{path} is damaged: {what}. {Remedy}");

    private static bool IsBehind(Connection connection, long recorded)
    {
        const string newest = "SELECT max(coalesce((SELECT max(revision) FROM history), 0), coalesce((SELECT max(history_floor) FROM meta), 0))";
        return recorded > 0 && connection.ReadNumber("SELECT coalesce(max(may_lose_commits), 0) FROM meta") == 0 && connection.ReadNumber(newest) < recorded;
    }

    /// <summary>The schema is compared word by word with a new one. A database that has tasks has its mark as well, and one whose tasks run lists them: what is not found now is lost for ever.</summary>
    private static void CheckSchema(Connection connection, string path)
    {
        const string schema = "SELECT group_concat(type || name || tbl_name || coalesce(sql, ''), ';') FROM (SELECT * FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY name)";
        using var model = Connection.Open(":memory:", readOnly: false);
        Migrator.Migrate(model, path);
        if (connection.ReadText(schema) != model.ReadText(schema))
            throw Damaged(path, "its schema is not what it was made with");
        if (connection.ReadNumber("SELECT (SELECT coalesce(sum(running), 0) FROM lane) <> (SELECT count(*) FROM running_task)") == 1)
            throw Damaged(path, "it does not say which tasks run");
        if (connection.ReadNumber("SELECT count(*) FROM meta") == 0 && connection.ReadNumber("SELECT EXISTS (SELECT 1 FROM task)") == 1)
            throw Damaged(path, "its mark is missing");
    }

    private static long Length(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;
}
