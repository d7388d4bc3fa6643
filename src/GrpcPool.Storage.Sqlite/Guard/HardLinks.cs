using System.Runtime.InteropServices;

namespace GrpcPool.Storage.Sqlite.Guard;

/// <summary>The names of a file: each of two servers that have one database by different names would have a log and a lock of its own.</summary>
internal static partial class HardLinks
{
    /// <summary>For a path that is relative to the current folder, or is not (AT_FDCWD of fcntl.h).</summary>
    private const int CurrentFolder = -100;

    /// <summary>Asks for the number of links (STATX_NLINK of linux/stat.h).</summary>
    private const uint LinksMask = 4;

    /// <summary>How many names a file has; 1 where that is not known.</summary>
    public static uint CountOf(string path)
    {
        try
        {
            return OperatingSystem.IsLinux() && Statx(CurrentFolder, path, 0, LinksMask, out Status status) == 0 ? status.Links : 1;
        }
        catch (EntryPointNotFoundException)
        {
            return 1;
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, out Status status);

    /// <summary>The same on every architecture (statx(2)).</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Status
    {
        [FieldOffset(16)]
        public uint Links;
    }
}
