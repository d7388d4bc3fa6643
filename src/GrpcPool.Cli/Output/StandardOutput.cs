using System.Text;
using Microsoft.Win32.SafeHandles;

namespace GrpcPool.Cli.Output;

/// <summary>Standard output that says when nobody reads it any more; the console's own writes on in silence.</summary>
internal static class StandardOutput
{
    private const int Descriptor = 1;

    /// <summary>Lets the console's writes fail where its reader has gone.</summary>
    public static void NoticeItsEnd() => Console.SetOut(new StreamWriter(Open(), new UTF8Encoding(false)) { AutoFlush = true });

    public static Stream Open()
    {
        if (OperatingSystem.IsWindows())
            return Console.OpenStandardOutput();

        // In a file a stream of its own would lose the place that it shares with other processes.
        var stream = new FileStream(new SafeFileHandle(Descriptor, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        return stream.CanSeek ? Console.OpenStandardOutput() : stream;
    }
}
