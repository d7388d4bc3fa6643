using System.Text;
using GrpcPool.Core.Workers.Processes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Core.Tests.Workers.Processes;

public sealed class ProcessOutputTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly LineLog _log = new();

    [Fact(Timeout = 30_000)]
    public async Task Each_line_is_an_entry_whole_or_cut_and_can_neither_forge_another_nor_steer_a_terminal()
    {
        await ReadAsync("one\r\ntwo \u001b[31mred\n\n" + new string('x', 5_000) + "\nno end");

        Assert.Equal("p: one", _log.Lines[0]);
        Assert.Equal("p: two \uFFFD[31mred", _log.Lines[1]);
        Assert.Equal(ProcessOutput.LineBytesMax, _log.Lines[3].Length - "p: ".Length);
        Assert.Equal("p: no end", _log.Lines[^1]);
    }

    [Fact(Timeout = 30_000)]
    public async Task More_lines_than_the_rate_allows_are_counted_and_left_out()
    {
        await new ProcessOutput("p", _time, _log).ReadAsync(new Floods(_time, ("y\n", 100_000), ("z\n", 160)), TestContext.Current.CancellationToken);

        Assert.All(_log.Lines.Take(ProcessOutput.LinesPerSecond), static line => Assert.Equal("p: y", line));
        Assert.Equal("p: 99900 more lines came too fast and were left out", _log.Lines[ProcessOutput.LinesPerSecond]);
        Assert.Equal(ProcessOutput.LinesPerSecond, _log.Lines.Count(static line => line == "p: z"));
        Assert.Equal("p: 60 more lines came too fast and were left out", _log.Lines[^1]);
    }

    private async Task ReadAsync(string text)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        await new ProcessOutput("p", _time, _log).ReadAsync(stream, TestContext.Current.CancellationToken);
    }

    /// <summary>Lines by the thousands, and a second between them and others.</summary>
    private sealed class Floods(FakeTimeProvider time, params (string Line, int Times)[] floods) : MemoryStream
    {
        private readonly Queue<(string Line, int Times)> _floods = new(floods);
        private MemoryStream _flood = new();

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int read = _flood.Read(buffer.Span);
            if (read > 0 || !_floods.TryDequeue(out (string Line, int Times) next))
                return ValueTask.FromResult(read);
            time.Advance(TimeSpan.FromSeconds(1));
            _flood = new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(next.Line, next.Times))));
            return ReadAsync(buffer, cancellationToken);
        }
    }

    private sealed class LineLog : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }
}
