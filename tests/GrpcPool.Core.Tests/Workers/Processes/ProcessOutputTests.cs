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
        ProcessOutput output = await ReadAsync(string.Concat(Enumerable.Repeat("y\n", 100_000)));
        Assert.Equal(ProcessOutput.LinesPerSecond, _log.Lines.Count);

        _time.Advance(TimeSpan.FromSeconds(0.5));
        await ReadAsync(string.Concat(Enumerable.Repeat("z\n", 60)), output);
        Assert.Equal("p: 99900 more lines came too fast and were left out", _log.Lines[ProcessOutput.LinesPerSecond]);
        Assert.Equal(50, _log.Lines.Count(static line => line == "p: z"));
        output.Close();
        Assert.Equal("p: 10 more lines came too fast and were left out", _log.Lines[^1]);
    }

    private async Task<ProcessOutput> ReadAsync(string text, ProcessOutput? output = null)
    {
        output ??= new ProcessOutput("p", _time, _log);
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        await output.ReadAsync(stream, TestContext.Current.CancellationToken);
        return output;
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
