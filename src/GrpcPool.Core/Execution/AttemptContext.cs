using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Workers;

namespace GrpcPool.Core.Execution;

/// <summary>What a handler sees of its attempt; keeps its progress, and lets it out at a bounded rate.</summary>
/// <param name="task">The task.</param>
/// <param name="lease">What the attempt holds.</param>
/// <param name="runTimeout">The longest attempt; null for no limit.</param>
/// <param name="executor">Who runs it.</param>
/// <param name="lock">That of the attempt.</param>
[SuppressMessage("Design", "CA1001", Justification = "The source has no timer and no wait handle, and who has got its token may outlast the attempt.")]
internal sealed class AttemptContext(TaskRecord task, SlotLease lease, TimeSpan? runTimeout, Executor executor, Lock @lock) : TaskContext
{
    /// <summary>The longest progress message, in characters.</summary>
    private const int MessageCharactersMax = 256;

    private static readonly TimeSpan PublishEvery = TimeSpan.FromMilliseconds(100);

    private TaskRecord _task = task;
    private IReadOnlyDictionary<string, string> _headers = task.Spec.Headers;
    private volatile IAttemptHolder? _holder;

    /// <summary>Most attempts log nothing.</summary>
    private AttemptLog? _log;

    /// <summary>Hardly a handler asks for it.</summary>
    private CancellationTokenSource? _killing;
    private TaskProgress? _progress;
    private long? _publishedAt;
    private ITimer? _timer;
    private bool _closed;

    public override string Namespace => _task.Id.Namespace;

    public override string TaskId => _task.Id.Value;

    public override string Kind => _task.Spec.Kind;

    public override string Queue => _task.Spec.Queue;

    public override int Attempt => _task.Attempt;

    public override ReadOnlyMemory<byte> Payload => _task.Spec.Payload;

    public override string ContentType => _task.Spec.ContentType;

    public override IReadOnlyDictionary<string, string> Labels => _task.Spec.Labels;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Headers => _headers;

    public override CancellationToken Killed => Killing.Token;

    /// <summary>Who runs the attempt outside of this process; null for nobody.</summary>
    public IAttemptHolder? Holder
    {
        get => _holder;
        set => _holder = value;
    }

    /// <summary>The task at the attempt's start.</summary>
    public TaskRecord Task { get; } = task;

    public long Nonce => lease.Nonce;

    internal override DateTimeOffset? Deadline
    {
        get
        {
            DateTimeOffset? run = Task.StartedAt + runTimeout;
            return run is null || Task.TotalDeadline < run ? Task.TotalDeadline : run;
        }
    }

    internal override LeaseToken Lease
    {
        get
        {
            lock (@lock)
            {
                var callback = (Callback?)_holder;
                _holder = callback ??= executor.Leases.Open(new Callback(Task.Id, new LeaseToken(Task.Claim, LeaseToken.NewNonce()), executor.Leases));
                return callback.Token;
            }
        }
    }

    private CancellationTokenSource Killing
    {
        get
        {
            lock (@lock)
                return _killing ??= new CancellationTokenSource();
        }
    }

    public TaskProgress? Progress
    {
        get
        {
            lock (@lock)
                return _progress;
        }
    }

    /// <summary>Tells the handler that it is stopped by force.</summary>
    public Task KillAsync() => Killing.CancelAsync();

    public override void ReportProgress(double fraction, string message = "")
    {
        ArgumentNullException.ThrowIfNull(message);
        fraction = double.IsNaN(fraction) ? 0 : Math.Clamp(fraction, 0, 1);
        string cut = Failure.Head(message, MessageCharactersMax);
        lock (@lock)
        {
            if (_closed)
                return;
            _progress = new TaskProgress(fraction, cut, executor.Time.GetUtcNow());
            if (_timer is not null)
                return;
            TimeSpan passed = _publishedAt is { } at ? executor.Time.GetElapsedTime(at) : PublishEvery;
            if (passed >= PublishEvery)
                Publish_NeedsLock();
            else
                _timer = executor.Time.CreateTimer(static self => ((AttemptContext)self!).OnTimer(), this, PublishEvery - passed, Timeout.InfiniteTimeSpan);
        }
    }

    public override void WriteLog(ReadOnlySpan<byte> text) =>
        LazyInitializer.EnsureInitialized(ref _log, () => new AttemptLog(executor, Task.Id, Task.Claim)).Write(text);

    /// <summary>Takes no more of a log, and answers what has not been committed of it.</summary>
    public ValueTask<LogPiece> CloseLogAsync() => Volatile.Read(ref _log)?.CloseAsync() ?? default;

    internal override Task<TaskOutcome> LeaveRunningAsync(CancellationToken stopping)
    {
        LeaseToken token = Lease;
        return executor.LeaveRunningAsync((Callback)_holder!, lease, new LeaveRunning(Task.Id, token, Deadline ?? DateTimeOffset.MaxValue), stopping);
    }

    /// <summary>Whatever runs the attempt continues this span.</summary>
    public void Continue(Activity span) => _headers = AttemptTrace.Continue(_headers, span);

    /// <summary>The task has a newer version; progress from now on belongs to it.</summary>
    public void Update(TaskRecord task)
    {
        lock (@lock)
            _task = task;
    }

    /// <summary>Lets no more progress out, and answers the newest.</summary>
    public TaskProgress? Close()
    {
        lock (@lock)
        {
            _closed = true;
            _timer?.Dispose();
            return _progress;
        }
    }

    private void OnTimer()
    {
        lock (@lock)
        {
            _timer?.Dispose();
            _timer = null;
            if (!_closed)
                Publish_NeedsLock();
        }
    }

    private void Publish_NeedsLock()
    {
        _publishedAt = executor.Time.GetTimestamp();
        executor.Publish(new TaskChange(ChangeType.Progressed, _task with { Progress = _progress }, _task.Revision));
    }
}
