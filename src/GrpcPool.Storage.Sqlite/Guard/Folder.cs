using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace GrpcPool.Storage.Sqlite.Guard;

/// <summary>Makes names of files durable, for which .NET has no call.</summary>
internal static partial class Folder
{
    private const int ReadOnlyCloseOnExec = 0x80000;

    /// <exception cref="IOException">The folder cannot be synced.</exception>
    public static void Sync(string path)
    {
        using var folder = new SafeFileHandle(Open(path, ReadOnlyCloseOnExec), ownsHandle: true);
        if (folder.IsInvalid)
            throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
        RandomAccess.FlushToDisk(folder);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);
}
