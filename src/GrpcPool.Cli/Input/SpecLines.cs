using System.Runtime.CompilerServices;
using System.Text;
using Google.Protobuf;
using GrpcPool.V1;

namespace GrpcPool.Cli.Input;

/// <summary>The lines of a file of tasks, each a TaskSpec as proto3 JSON.</summary>
internal sealed class SpecLines : IDisposable
{
    private const string StandardInput = "-";

    private readonly Stream _input;
    private long _read;

    /// <param name="path">The file, or - for standard input.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public SpecLines(string path) => _input = path == StandardInput ? Console.OpenStandardInput() : File.OpenRead(path);

    /// <summary>The share of the file that has been read; null where its length is not known. May be asked from another thread.</summary>
    public double? Done => _input.CanSeek && _input.Length > 0 ? (double)Interlocked.Read(ref _read) / _input.Length : null;

    /// <summary>The tasks, or why a line is none. Empty lines are left out.</summary>
    public async IAsyncEnumerable<SpecLine> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(_input, Encoding.UTF8, leaveOpen: true);

        // A terminal does not end a read that is cancelled.
        for (long number = 1; await reader.ReadLineAsync(cancellationToken).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false) is { } line; number++)
        {
            Interlocked.Exchange(ref _read, _input.CanSeek ? _input.Position : 0);
            if (!string.IsNullOrWhiteSpace(line))
                yield return Parse(number, line);
        }
    }

    public void Dispose() => _input.Dispose();

    private static SpecLine Parse(long number, string line)
    {
        try
        {
            return new SpecLine(number, JsonParser.Default.Parse<TaskSpec>(line), null);
        }
        catch (IOException error)
        {
            return new SpecLine(number, null, error.Message);
        }
    }
}

/// <summary>One line.</summary>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Spec">The task, if it is one.</param>
/// <param name="Error">Why it is none.</param>
internal sealed record SpecLine(long Number, TaskSpec? Spec, string? Error);
