using GrpcPool.Core.Hosting;
using GrpcPool.Storage.Sqlite.Guard;

namespace GrpcPool.Storage.Sqlite;

/// <summary>Where and how a database is kept.</summary>
/// <param name="Path">The file; its folder is made where it is missing.</param>
/// <param name="Synchronous">When a commit counts as done.</param>
/// <param name="HistoryMax">How many changes are kept for watches that resume.</param>
internal sealed record SqliteOptions(string Path, Synchronous Synchronous, int HistoryMax)
{
    /// <summary>A database up to this size, with its log, is checked page by page when it is opened: it takes about a tenth of a second.</summary>
    public long FullCheckBytesMax { get; init; } = 16 << 20;

    public Machine Machine { get; init; } = Machine.This;
}
