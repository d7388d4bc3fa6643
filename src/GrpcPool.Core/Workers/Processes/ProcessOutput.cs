using System.Runtime.InteropServices;
using System.Text;
using GrpcPool.Core.Hosting;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Workers.Processes;

/// <summary>
/// Passes what a process writes on to the server's log, line by line and at a bounded rate. What is more is counted and left out: a process never waits for its log.
/// Thread-safe.
/// </summary>
/// <param name="name">The process.</param>
/// <param name="time">The clock.</param>
/// <param name="log">The log.</param>
internal sealed class ProcessOutput(string name, TimeProvider time, ILogger log)
{
    /// <summary>How many lines a second are passed on, and how many may come at once.</summary>
    public const int LinesPerSecond = 100;

    /// <summary>What is passed on of a line.</summary>
    public const int LineBytesMax = 2_048;

    private const int ReadBytes = 4_096;

    private readonly Lock _lock = new();
    private double _allowed = LinesPerSecond;
    private long _countedAt = time.GetTimestamp();
    private long _leftOut;

    /// <summary>Reads one stream to its end.</summary>
    public async Task ReadAsync(Stream stream, CancellationToken cancellation)
    {
        var line = new List<byte>(LineBytesMax);
        byte[] bytes = new byte[ReadBytes];
        try
        {
            int read;
            while ((read = await stream.ReadAsync(bytes, cancellation).ConfigureAwait(false)) > 0)
                Take(bytes.AsSpan(0, read), line);
        }
        finally
        {
            if (line.Count > 0)
                Pass(line);
        }
    }

    /// <summary>Tells what was left out at last.</summary>
    public void Close()
    {
        lock (_lock)
            TellLeftOut_NeedsLock();
    }

    private void Take(ReadOnlySpan<byte> bytes, List<byte> line)
    {
        while (!bytes.IsEmpty)
        {
            int end = bytes.IndexOf((byte)'\n');
            ReadOnlySpan<byte> part = end < 0 ? bytes : bytes[..end];
            line.AddRange(part[..Math.Min(part.Length, LineBytesMax - line.Count)]);
            bytes = bytes[(end < 0 ? bytes.Length : end + 1)..];
            if (end < 0)
                continue;
            Pass(line);
            line.Clear();
        }
    }

    private void Pass(List<byte> line)
    {
        lock (_lock)
        {
            if (!TryCount_NeedsLock())
                return;
            TellLeftOut_NeedsLock();
            string text = Show(line);
            Log.ProcessSaid(log, name, text);
        }
    }

    private bool TryCount_NeedsLock()
    {
        long now = time.GetTimestamp();
        _allowed = Math.Min(LinesPerSecond, _allowed + (time.GetElapsedTime(_countedAt, now).TotalSeconds * LinesPerSecond));
        _countedAt = now;
        bool passes = _allowed >= 1;
        if (passes)
            _allowed--;
        else
            _leftOut++;
        return passes;
    }

    private void TellLeftOut_NeedsLock()
    {
        if (_leftOut > 0)
            Log.ProcessLinesLeftOut(log, name, _leftOut);
        _leftOut = 0;
    }

    /// <summary>The line as text: what is not UTF-8, and what would steer a terminal, becomes replacement characters.</summary>
    private static string Show(List<byte> line) =>
        string.Concat(Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(line)).TrimEnd('\r').Select(static c => char.IsControl(c) && c != '\t' ? '\uFFFD' : c));
}
