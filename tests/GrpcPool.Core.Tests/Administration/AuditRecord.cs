using System.Collections.Concurrent;
using GrpcPool.Core.Administration;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Tests.Administration;

/// <summary>What the log is told of an operator's changes.</summary>
internal sealed class AuditRecord : ILogger<PoolAdmin>
{
    public ConcurrentQueue<string> Lines { get; } = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue($"{logLevel}: {formatter(state, exception)}");
}
