using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Google.Protobuf;
using GrpcPool.Client.Workers;
using GrpcPool.V1;

namespace GrpcPool.Client.Testing;

/// <summary>An attempt for the test of a handler, without a pool: keeps what the handler says, and asks it to stop when the test wants. Thread-safe.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Nothing in it has a timer or a wait handle.")]
public sealed class TestWorkContext : WorkContext
{
    private readonly Lock _lock = new();
    private readonly List<Progress> _progress = [];
    private readonly MemoryStream _log = new();
    private readonly CancellationTokenSource _stopping = new(), _killed = new();
    private string? _stopReason;

    /// <summary>Makes an attempt.</summary>
    /// <param name="task">The task, of which the handler sees what a worker would show it.</param>
    /// <param name="attempt">The attempt's number, from 1.</param>
    public TestWorkContext(TaskSpec task, int attempt = 1)
        : base(InMemoryTask.InfoOf(task, attempt))
    {
    }

    /// <summary>Hears of each report of progress.</summary>
    internal Action<Progress>? OnProgress { get; init; }

    /// <summary>The token for the handler, which <see cref="Stop"/> fires.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <inheritdoc/>
    public override string? StopReason => _stopReason;

    /// <inheritdoc/>
    public override CancellationToken Killed => _killed.Token;

    /// <summary>Every report of progress so far, in order; none is left out.</summary>
    public IReadOnlyList<Progress> Progress
    {
        get
        {
            lock (_lock)
                return [.. _progress];
        }
    }

    /// <summary>What has been written to the log so far, read as UTF-8.</summary>
    public string Log
    {
        get
        {
            lock (_lock)
                return Encoding.UTF8.GetString(_log.GetBuffer(), 0, (int)_log.Length);
        }
    }

    /// <summary>An attempt whose payload is JSON.</summary>
    /// <typeparam name="TPayload">What the payload is.</typeparam>
    /// <param name="payload">The payload.</param>
    /// <param name="type">How it is written, from a <c>JsonSerializerContext</c>.</param>
    public static TestWorkContext Of<TPayload>(TPayload payload, JsonTypeInfo<TPayload> type) =>
        new(new TaskSpec { Payload = ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(payload, type)), ContentType = "application/json" });

    /// <summary>Runs the attempt as a worker does: an exception of the handler becomes a failure.</summary>
    /// <param name="handler">The handler.</param>
    public Task<WorkOutcome> RunAsync(IWorkHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return WorkOutcome.OfAsync(handler, this, Stopping).AsTask();
    }

    /// <summary>Asks the handler to stop, as a cancellation does.</summary>
    /// <param name="reason">Why.</param>
    public void Stop(string reason = "")
    {
        _stopReason ??= reason;
        _stopping.Cancel();
    }

    /// <summary>Takes the lease away, too.</summary>
    public void Kill()
    {
        Stop("the lease is lost");
        _killed.Cancel();
    }

    /// <inheritdoc/>
    public override void WriteLog(ReadOnlySpan<byte> text)
    {
        lock (_lock)
            _log.Write(text);
    }

    private protected override void Say(Progress progress)
    {
        lock (_lock)
            _progress.Add(progress);
        OnProgress?.Invoke(progress);
    }
}
