using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GrpcPool.Core.Handlers.Processes;

/// <summary>The calls of the C library that .NET has no equal for, with the numbers of 64-bit Linux (glibc and musl).</summary>
internal static partial class LibC
{
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int SigChild = 17;
    public const nint DefaultHandler = 0;

    public const int OpenReadOnlyCloseOnExec = 0x80000;
    public const int CloseOnExec = 0x80000;

    public const int WaitNoHang = 1;
    public const int WaitExited = 4;
    public const int WaitNoReap = 0x1000000;
    public const int WaitForAny = 0;
    public const int WaitForOne = 1;

    public const short SpawnDefaultSignals = 0x04;
    public const short SpawnSignalMask = 0x08;
    public const short SpawnNewSession = 0x80;

    public const int SetChildSubreaper = 36;

    private const string Library = "libc";
    private const int ErrorAgain = 11;
    private const int ErrorNoMemory = 12;
    private const int ErrorFileTableFull = 23;
    private const int ErrorTooManyFiles = 24;

    /// <summary>Whether the error says that the machine is short of something, so that a later try may succeed.</summary>
    public static bool IsExhausted(int error) => error is ErrorAgain or ErrorNoMemory or ErrorFileTableFull or ErrorTooManyFiles;

    /// <summary>Throws for the error number that the <c>posix_spawn</c> family returns.</summary>
    public static void Check(int error)
    {
        if (error != 0)
            throw new Win32Exception(error);
    }

    [LibraryImport(Library, EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Spawn(out int pid, string path, ref Opaque actions, ref Opaque attributes, string?[] arguments, string?[] environment);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_init")]
    public static partial int InitAttributes(ref Opaque attributes);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_setflags")]
    public static partial int SetFlags(ref Opaque attributes, short flags);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_setsigmask")]
    public static partial int SetSignalMask(ref Opaque attributes, ref Opaque signals);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_setsigdefault")]
    public static partial int SetDefaultSignals(ref Opaque attributes, ref Opaque signals);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_destroy")]
    public static partial int DestroyAttributes(ref Opaque attributes);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_init")]
    public static partial int InitActions(ref Opaque actions);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_adddup2")]
    public static partial int AddDuplicate(ref Opaque actions, int from, int to);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_addchdir_np", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int AddDirectory(ref Opaque actions, string path);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_destroy")]
    public static partial int DestroyActions(ref Opaque actions);

    [LibraryImport(Library, EntryPoint = "sigemptyset")]
    public static partial int ClearSignals(ref Opaque signals);

    [LibraryImport(Library, EntryPoint = "sigfillset")]
    public static partial int FillSignals(ref Opaque signals);

    [LibraryImport(Library, EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    [LibraryImport(Library, EntryPoint = "signal")]
    public static partial nint SetHandler(int signal, nint handler);

    [LibraryImport(Library, EntryPoint = "getsid")]
    public static partial int GetSession(int pid);

    [LibraryImport(Library, EntryPoint = "waitid", SetLastError = true)]
    public static partial int WaitId(int which, int pid, out WaitInfo info, int options);

    [LibraryImport(Library, EntryPoint = "prctl", SetLastError = true)]
    public static partial int Control(int option, nuint value, nuint unused2, nuint unused3, nuint unused4);

    [LibraryImport(Library, EntryPoint = "pipe2", SetLastError = true)]
    public static partial int Pipe(out PipeEnds ends, int flags);

    [LibraryImport(Library, EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport(Library, EntryPoint = "read")]
    public static partial nint Read(int file, ref byte buffer, nuint length);

    [LibraryImport(Library, EntryPoint = "close")]
    public static partial int Close(int file);

    /// <summary>Room for the types whose layout is the C library's own; the largest takes 336 bytes.</summary>
    [InlineArray(128)]
    internal struct Opaque
    {
        private long _first;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct PipeEnds
    {
        public int Reader;
        public int Writer;
    }

    /// <summary>A <c>siginfo_t</c> as <c>waitid</c> fills it.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    internal struct WaitInfo
    {
        public const int CodeExited = 1;

        [FieldOffset(8)]
        public int Code;

        [FieldOffset(16)]
        public int Pid;

        [FieldOffset(24)]
        public int Status;
    }
}
