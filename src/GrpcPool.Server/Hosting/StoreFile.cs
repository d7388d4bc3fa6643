using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Storage.Sqlite;
using GrpcPool.Storage.Sqlite.Guard;

namespace GrpcPool.Server.Hosting;

/// <summary>What can be done with the file of the settings' store without a server.</summary>
internal static class StoreFile
{
    /// <summary>Copies the store into a new file.</summary>
    /// <returns>The size of the file in bytes.</returns>
    /// <exception cref="StorageException">It cannot be done, and says why.</exception>
    public static long BackUp(GrpcPoolOptions options, string path) => DatabaseCopies.BackUp(OptionsOf(options), path);

    /// <summary>Makes the store of a backup, where there is none.</summary>
    /// <returns>The size of the store in bytes.</returns>
    /// <exception cref="StorageException">It cannot be done, and says why.</exception>
    public static long Restore(GrpcPoolOptions options, string backup) => DatabaseCopies.Restore(Path.GetFullPath(backup), OptionsOf(options));

    /// <summary>Looks at every page and row, of the store or of another file, also while a server uses it.</summary>
    /// <returns>What is wrong, in words, and how many tasks there are.</returns>
    /// <exception cref="StorageException">It cannot be read at all.</exception>
    public static (IReadOnlyList<string> Damage, long Tasks) Check(GrpcPoolOptions options, string? file) => Inspection.Of(Path.GetFullPath(file ?? OptionsOf(options).Path));

    public static SqliteOptions OptionsOf(GrpcPoolOptions options) => options.Storage.Type == StorageType.Sqlite
        ? new SqliteOptions(options.Storage.Path, options.Storage.Synchronous, options.HistoryMax)
        : throw new StorageException(StorageFault.Unsupported, "Storage:Type is memory: there is no file");
}
