using GrpcPool.Core.Storage;
using GrpcPool.Storage.Sqlite.Engine;

namespace GrpcPool.Storage.Sqlite.Guard;

/// <summary>Backups of a database that no server holds, and the way back.</summary>
internal static class DatabaseCopies
{
    /// <summary>Copies a database into a new file.</summary>
    /// <returns>The size of the file in bytes.</returns>
    /// <exception cref="StorageException">It cannot be done, and says why.</exception>
    public static long BackUp(SqliteOptions options, string path)
    {
        if (!File.Exists(options.Path))
            throw new StorageException(StorageFault.NotAccessible, $"there is no database {options.Path}");
        using DatabaseFile held = DatabaseFile.Take(options);
        return Copy(held.Path, path, static _ => { });
    }

    /// <summary>Makes a database of a backup, in a place where there is none.</summary>
    /// <returns>The size of the database in bytes.</returns>
    /// <exception cref="StorageException">It cannot be done, and says why. Nothing has changed then.</exception>
    public static long Restore(string backup, SqliteOptions options)
    {
        if (!File.Exists(backup))
            throw new StorageException(StorageFault.NotAccessible, $"there is no file {backup}");
        using DatabaseFile held = DatabaseFile.Take(options);
        if (File.Exists(held.Path) || File.Exists($"{held.Path}-wal"))
            throw new StorageException(StorageFault.Exists, $"{held.Path} exists, and is not replaced: give Storage:Path another value, or move the file with its -wal and -shm away");
        long size = Copy(backup, held.Path, RefuseDamaged);
        held.Record.Write(0);
        return size;
    }

    private static long Copy(string source, string path, Action<string> inspect)
    {
        using Connection connection = DatabaseFile.OpenReader(source);
        using var backup = new Backup(connection, path);
        while (backup.Step())
        {
        }

        backup.EndCopy();
        inspect(backup.TemporaryPath);
        return backup.Complete();
    }

    private static void RefuseDamaged(string path)
    {
        if (Inspection.Of(path).Damage is [var first, ..])
            throw new StorageException(StorageFault.Corrupt, $"the backup is damaged: {first}. Nothing was restored; try an older one");
    }
}
