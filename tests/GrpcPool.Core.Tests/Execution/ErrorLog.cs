using System.Collections.Concurrent;
using GrpcPool.Core.Execution;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Tests.Execution;

/// <summary>Keeps what was logged as an error, which a test has to expect.</summary>
internal sealed class ErrorLog : ILogger<TaskPool>
{
    public ConcurrentQueue<string> Errors { get; } = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Error)
            Errors.Enqueue($"{formatter(state, exception)} {exception}");
    }
}
