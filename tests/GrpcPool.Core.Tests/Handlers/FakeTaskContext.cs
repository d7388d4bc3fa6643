using System.Collections.Concurrent;
using System.Text;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Workers;

namespace GrpcPool.Core.Tests.Handlers;

/// <summary>An attempt for a handler under test, with what it reported. A test that runs out of time kills it.</summary>
internal sealed class FakeTaskContext : TaskContext, IDisposable
{
    private const int LoggedBytesMax = 1 << 20;

    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _killed = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly TailBuffer _logged = new(LoggedBytesMax);
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _reported = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FakeTaskContext(string payload = "", int attempt = 1)
    {
        Payload = Encoding.UTF8.GetBytes(payload);
        Attempt = attempt;
    }

    public override string Namespace => "space";

    public override string TaskId => Id;

    public string Id { get; init; } = "task-1";

    public override string Kind => "kind-1";

    public override string Queue => "queue-1";

    public override int Attempt { get; }

    public override ReadOnlyMemory<byte> Payload { get; }

    public override string ContentType => MediaType;

    public string MediaType { get; init; } = "text/plain";

    public override IReadOnlyDictionary<string, string> Labels => OwnLabels;

    public Dictionary<string, string> OwnLabels { get; init; } = new() { ["team.name"] = "blue & green" };

    public override IReadOnlyDictionary<string, string> Headers => OwnHeaders;

    public Dictionary<string, string> OwnHeaders { get; init; } = [];

    internal override LeaseToken Lease => new(7, 8);

    internal override DateTimeOffset? Deadline => Until;

    public DateTimeOffset? Until { get; init; }

    /// <summary>Whether the handler has left the attempt running.</summary>
    public Task Left => _left.Task;

    /// <summary>What whoever holds the lease reports.</summary>
    public TaskCompletionSource<TaskOutcome> Completed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override CancellationToken Killed => _killed.Token;

    public CancellationToken Stopping => _stopping.Token;

    public ConcurrentQueue<(double Fraction, string Message)> Reports { get; } = new();

    /// <summary>The end of what was logged.</summary>
    public byte[] Logged
    {
        get
        {
            lock (_logged)
                return _logged.ToArray();
        }
    }

    public Action OnReport { get; init; } = () => { };

    /// <summary>Ends with the first report of progress.</summary>
    public Task Reported => _reported.Task;

    public void Stop() => _stopping.Cancel();

    public void Kill() => _killed.Cancel();

    public override void ReportProgress(double fraction, string message = "")
    {
        OnReport();
        Reports.Enqueue((fraction, message));
        _reported.TrySetResult();
    }

    internal override Task<TaskOutcome> LeaveRunningAsync(CancellationToken stopping)
    {
        _left.TrySetResult();
        return Completed.Task.WaitAsync(stopping);
    }

    public override void WriteLog(ReadOnlySpan<byte> text)
    {
        lock (_logged)
            _logged.Append(text);
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _killed.Dispose();
    }
}
