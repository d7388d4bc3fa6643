using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Tests.Infrastructure;

/// <summary>Keeps what a server logs from Information on, and shows warnings in the test's output.</summary>
internal sealed class LogRecorder : ILoggerProvider
{
    private readonly ConcurrentQueue<LogEntry> _entries = new();
    private readonly List<(Func<LogEntry, bool> Matches, TaskCompletionSource<LogEntry> Found)> _awaited = [];
    private readonly ITestOutputHelper? _output = TestContext.Current.TestOutputHelper;

    public IReadOnlyCollection<LogEntry> Entries => _entries;

    public IEnumerable<LogEntry> Errors => _entries.Where(static entry => entry.Level >= LogLevel.Error);

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    /// <summary>The first entry that matches, once there is one.</summary>
    public Task<LogEntry> WhenAsync(Func<LogEntry, bool> matches)
    {
        lock (_awaited)
        {
            var found = new TaskCompletionSource<LogEntry>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_entries.FirstOrDefault(matches) is { } entry)
                found.SetResult(entry);
            else
                _awaited.Add((matches, found));
            return found.Task.WaitAsync(TestContext.Current.CancellationToken);
        }
    }

    private void Add(LogEntry entry)
    {
        lock (_awaited)
        {
            _entries.Enqueue(entry);
            _awaited.RemoveAll(waiting => waiting.Matches(entry) && waiting.Found.TrySetResult(entry));
        }

        if (entry.Level >= LogLevel.Warning)
            _output?.WriteLine(entry.ToString());
    }

    private sealed class Logger(LogRecorder recorder, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                recorder.Add(new LogEntry(logLevel, category, formatter(state, exception), exception));
        }
    }
}

internal sealed record LogEntry(LogLevel Level, string Category, string Message, Exception? Fault);
