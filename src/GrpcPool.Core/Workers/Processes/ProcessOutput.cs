using System.Runtime.InteropServices;
using System.Text;
using GrpcPool.Core.Hosting;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Workers.Processes;

/// <summary>
/// Passes one stream of what a process writes on to the server's log, line by line and at a bounded rate. What is more is counted and left out: a process never waits
/// for its log.
/// </summary>
/// <param name="name">The process.</param>
/// <param name="time">The clock.</param>
/// <param name="log">The log.</param>
internal sealed class ProcessOutput(string name, TimeProvider time, ILogger log)
{
    /// <summary>How many lines a second are passed on.</summary>
    public const int LinesPerSecond = 100;

    /// <summary>What is passed on of a line.</summary>
    public const int LineBytesMax = 2_048;

    private const int ReadBytes = 4_096;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly List<byte> _line = new(LineBytesMax);
    private long _secondAt = time.GetTimestamp();
    private long _lines;

    /// <summary>Reads the stream to its end.</summary>
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
            if (_line.Count > 0)
                Pass();
            TellLeftOut();
        }
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int end = bytes.IndexOf((byte)'\n');
            ReadOnlySpan<byte> part = end < 0 ? bytes : bytes[..end];
            _line.AddRange(part[..Math.Min(part.Length, LineBytesMax - _line.Count)]);
            bytes = bytes[(end < 0 ? bytes.Length : end + 1)..];
            if (end < 0)
                continue;
            Pass();
            _line.Clear();
        }
    }

    private void Pass()
    {
        if (time.GetElapsedTime(_secondAt) >= Second)
        {
            TellLeftOut();
            (_secondAt, _lines) = (time.GetTimestamp(), 0);
        }

        if (++_lines > LinesPerSecond)
            return;
        string text = Show(CollectionsMarshal.AsSpan(_line));
        Log.ProcessSaid(log, name, text);
    }

    private void TellLeftOut()
    {
        if (_lines > LinesPerSecond)
            Log.ProcessLinesLeftOut(log, name, _lines - LinesPerSecond);
    }

    /// <summary>A line as text: what is not UTF-8, and what would steer a terminal, becomes replacement characters.</summary>
    private static string Show(ReadOnlySpan<byte> line) =>
        string.Concat(Encoding.UTF8.GetString(line).TrimEnd('\r').Select(static c => char.IsControl(c) && c != '\t' ? '\uFFFD' : c));
}
