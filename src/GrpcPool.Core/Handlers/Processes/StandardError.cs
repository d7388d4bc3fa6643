using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Handlers.Processes;

/// <summary>
/// Reads standard error: passes it on to the task's log byte for byte, and keeps its end; only lines of the form <c>::progress 0.42 message</c> are taken out.
/// In texts, what is not UTF-8 becomes replacement characters.
/// </summary>
internal sealed class StandardError(TaskContext context)
{
    private const int KeptCharactersMax = Failure.DetailCharactersMax;
    private const int UnitBytesMax = 3;
    private const int ReadBytes = 4096;
    private const int ProgressBytesMax = 8192;
    private const int MessageLinesMax = 3;
    private const int MessageLineCharactersMax = 300;

    private readonly TailBuffer _kept = new(UnitBytesMax * (KeptCharactersMax + 1));

    /// <summary>A line that may yet turn out to be progress.</summary>
    private readonly List<byte> _held = [];
    private bool _isLineStart = true;

    private static ReadOnlySpan<byte> ProgressMark => "::progress "u8;

    /// <summary>The end of what was written, at most <see cref="Failure.DetailCharactersMax"/> characters.</summary>
    public string Tail
    {
        get
        {
            string text = Encoding.UTF8.GetString(_kept.ToArray());
            int cut = Math.Max(0, text.Length - KeptCharactersMax);
            if (cut > 0 && char.IsLowSurrogate(text[cut]))
                cut++;
            return text[cut..].Replace('\0', '\uFFFD').TrimEnd();
        }
    }

    /// <summary>The last lines that are not empty, as one line; empty where nothing was written.</summary>
    public string LastLines
    {
        get
        {
            string[] lines = Tail.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return string.Join(" | ", lines.TakeLast(MessageLinesMax).Select(Shorten));
        }
    }

    public async Task ReadAsync(Stream stream, CancellationToken cancellation)
    {
        byte[] bytes = new byte[ReadBytes];
        try
        {
            int read;
            while ((read = await stream.ReadAsync(bytes, cancellation).ConfigureAwait(false)) > 0)
                Take(bytes.AsSpan(0, read));
        }
        finally
        {
            EndHeldLine();
        }
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bool isHeld = _held.Count > 0 || (_isLineStart && bytes[0] == ProgressMark[0]);
            bytes = bytes[(isHeld ? Hold(bytes) : Pass(bytes))..];
        }
    }

    /// <summary>Passes on all up to where a line may be progress.</summary>
    private int Pass(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf("\n:"u8);
        int length = end < 0 ? bytes.Length : end + 1;
        Keep(bytes[..length]);
        _isLineStart = bytes[length - 1] == '\n';
        return length;
    }

    /// <summary>Holds the line back until it is whole, or cannot be progress.</summary>
    private int Hold(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)'\n');
        int length = end < 0 ? bytes.Length : end + 1;
        _held.AddRange(bytes[..length]);
        _isLineStart = end >= 0;
        if (_isLineStart || !MayBeProgress(CollectionsMarshal.AsSpan(_held)))
            EndHeldLine();
        return length;
    }

    private void EndHeldLine()
    {
        ReadOnlySpan<byte> line = CollectionsMarshal.AsSpan(_held);
        if (!MayBeProgress(line) || !TryReportProgress(line))
            Keep(line);
        _held.Clear();
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        context.WriteLog(bytes);
        _kept.Append(bytes);
    }

    private static bool MayBeProgress(ReadOnlySpan<byte> line)
    {
        int known = Math.Min(line.Length, ProgressMark.Length);
        return line.Length <= ProgressBytesMax && line[..known].SequenceEqual(ProgressMark[..known]);
    }

    private bool TryReportProgress(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < ProgressMark.Length)
            return false;
        string line = Encoding.UTF8.GetString(bytes[ProgressMark.Length..]).TrimEnd();
        string[] parts = line.Split(' ', 2, StringSplitOptions.TrimEntries);
        if (!double.TryParse(parts[0], NumberStyles.Float, CultureInfo.InvariantCulture, out double fraction) || !double.IsFinite(fraction))
            return false;
        context.ReportProgress(fraction, parts.Length > 1 ? parts[1] : "");
        return true;
    }

    private static string Shorten(string line)
    {
        if (line.Length <= MessageLineCharactersMax)
            return line;
        bool splitsPair = char.IsHighSurrogate(line[MessageLineCharactersMax - 1]);
        return line[..(splitsPair ? MessageLineCharactersMax - 1 : MessageLineCharactersMax)];
    }
}
