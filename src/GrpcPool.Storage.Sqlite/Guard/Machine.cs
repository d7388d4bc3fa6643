using GrpcPool.Storage.Sqlite.Engine;

namespace GrpcPool.Storage.Sqlite.Guard;

/// <summary>What of this machine decides whether a database is safe on it.</summary>
/// <param name="Sqlite">The version of SQLite in this process.</param>
/// <param name="FileSystemOf">The type of the file system that has a folder, as the kernel calls it; null where it is not known.</param>
/// <param name="RoomIn">How much room there is where a folder is.</param>
internal sealed record Machine(Version Sqlite, Func<string, string?> FileSystemOf, Func<string, Room> RoomIn)
{
    /// <summary>Older ones can lose commits: https://sqlite.org/wal.html#walresetbug.</summary>
    public static readonly Version OldestSqlite = new(3, 51, 3);

    public static Machine This { get; } = new(Connection.Version, static folder => MountTable.OfThisProcess.TypeAt(folder), Room.In);
}
