namespace GrpcPool.Storage.Sqlite.Guard;

/// <summary>The room on a file system, in bytes.</summary>
/// <param name="Free">What this process may still use.</param>
/// <param name="Size">All of it.</param>
internal readonly record struct Room(long Free, long Size)
{
    /// <summary>What is kept for the endings of what runs when new tasks are refused already: at most this, and a tenth of a small file system.</summary>
    private const long ReserveMax = 64 << 20;

    public long Reserve => Math.Min(ReserveMax, Size / 10);

    public bool IsShort => Free < Reserve;

    public static Room In(string folder)
    {
        var drive = new DriveInfo(folder);
        return new Room(drive.AvailableFreeSpace, drive.TotalSize);
    }
}
