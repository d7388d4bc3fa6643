using System.Globalization;
using System.Text;
using GrpcPool.Core.Handlers.Processes;

namespace GrpcPool.Core.Workers.Processes;

/// <summary>
/// By what the processes of a server are known after it was killed: a variable in their environment that names it, in its own space of process ids, by its id and
/// when it began.
/// </summary>
internal static class ServerMark
{
    /// <summary>Where the time of the start is in <c>/proc/…/stat</c>, counted from behind the name.</summary>
    private const int StartField = 19;

    private static readonly string Space = new FileInfo("/proc/self/ns/pid").LinkTarget ?? "";

    private static readonly byte[] Prefix = Encoding.ASCII.GetBytes($"{CommandEnvironment.ServerVariable}={Space}:");

    /// <summary>That of this server.</summary>
    public static string Own { get; } = $"{Space}:{Environment.ProcessId}:{StartOf(Environment.ProcessId)}";

    /// <summary>The living processes whose server is gone.</summary>
    public static IReadOnlyList<ProcessEntry> FindBereft() =>
        ProcessTable.Read().FindAll(static process => process.IsAlive && IsBereft(ProcessTable.Environment(process.Pid)));

    private static bool IsBereft(ReadOnlySpan<byte> environment)
    {
        int begin = environment.IndexOf(Prefix);
        if (begin < 0 || (begin > 0 && environment[begin - 1] != 0))
            return false;
        ReadOnlySpan<byte> rest = environment[(begin + Prefix.Length)..];
        int end = rest.IndexOf((byte)0);
        string[] server = Encoding.ASCII.GetString(end < 0 ? rest : rest[..end]).Split(':');
        return server.Length == 2 && int.TryParse(server[0], NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && StartOf(pid) != server[1];
    }

    /// <summary>When a process began, in ticks since the system did; empty where there is none.</summary>
    private static string StartOf(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[StartField];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
