using System.Globalization;
using System.IO.Enumeration;
using System.Runtime.InteropServices;
using System.Text;

namespace GrpcPool.Core.Handlers.Processes;

/// <summary>One process, as it was at a moment.</summary>
internal readonly record struct ProcessEntry(int Pid, char State, int Parent, int Group, int Session)
{
    private const char Dead = 'X';

    /// <summary>Whether it still runs; one that has ended stays in the table until its parent takes note.</summary>
    public bool IsAlive => State is not ('Z' or Dead);

    /// <summary>Whether it went away while it was looked at.</summary>
    public bool IsGone => State == Dead;

    public static ProcessEntry Gone(int pid) => new(pid, Dead, 0, 0, 0);
}

/// <summary>Reads the processes of the system from <c>/proc</c>. Those that end meanwhile are in it as dead; what cannot be listed is left out.</summary>
internal static class ProcessTable
{
    private const int StatBytesMax = 512;

    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = true };

    public static List<ProcessEntry> Read()
    {
        var entries = new List<ProcessEntry>();
        try
        {
            foreach (int pid in Pids())
                entries.Add(Read(pid));
        }
        catch (IOException)
        {
        }

        return entries;
    }

    /// <summary>The environment that the process was started with; empty while it starts or ends, or where it is not to be read.</summary>
    public static byte[] Environment(int pid)
    {
        try
        {
            return File.ReadAllBytes($"/proc/{pid}/environ");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static FileSystemEnumerable<int> Pids() =>
        new("/proc", static (ref entry) => int.Parse(entry.FileName, CultureInfo.InvariantCulture), Everything)
        {
            ShouldIncludePredicate = static (ref entry) => int.TryParse(entry.FileName, NumberStyles.None, CultureInfo.InvariantCulture, out _),
        };

    // By the bare calls: a process that vanishes is no exception here.
    private static ProcessEntry Read(int pid)
    {
        int file = LibC.Open($"/proc/{pid}/stat", LibC.OpenReadOnlyCloseOnExec);
        if (file < 0)
            return ProcessEntry.Gone(pid);
        Span<byte> buffer = stackalloc byte[StatBytesMax];
        nint length = LibC.Read(file, ref MemoryMarshal.GetReference(buffer), StatBytesMax);
        _ = LibC.Close(file);
        return length <= 0 ? ProcessEntry.Gone(pid) : Parse(pid, buffer[..(int)length]);
    }

    // "pid (name) state parent group session …", where the name may hold anything.
    private static ProcessEntry Parse(int pid, ReadOnlySpan<byte> stat)
    {
        Span<char> text = stackalloc char[StatBytesMax];
        ReadOnlySpan<char> fields = text[..Encoding.Latin1.GetChars(stat[(stat.LastIndexOf((byte)')') + 1)..], text)].Trim();
        Span<Range> ranges = stackalloc Range[5];
        if (fields.Split(ranges, ' ') < ranges.Length)
            return ProcessEntry.Gone(pid);
        return new ProcessEntry(pid, fields[0], Number(fields[ranges[1]]), Number(fields[ranges[2]]), Number(fields[ranges[3]]));
    }

    private static int Number(ReadOnlySpan<char> field) => int.Parse(field, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
}
