using GrpcPool.Core.Execution;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Workers;

/// <summary>The lease of a worker on one attempt. What changes is guarded by its session's lock; without a session it waits for the worker that knows its token.</summary>
/// <param name="id">The task.</param>
/// <param name="attempt">The attempt's number.</param>
/// <param name="token">What proves the lease.</param>
/// <param name="leases">Where it stands.</param>
internal sealed class Assignment(TaskId id, int attempt, LeaseToken token, LeaseBook leases) : ILease, ITaskHandler
{
    /// <summary>Whoever sets it goes on with the attempt's end himself, and holds no lock: on a thread of its own each would cost as much again.</summary>
    private readonly TaskCompletionSource<TaskOutcome> _outcome = new();
    private WorkerSession? _session;
    private volatile bool _reported;
    private long _renewedAt;

    public TaskId Id { get; } = id;

    public int Attempt { get; } = attempt;

    public LeaseToken Token { get; } = token;

    public AttemptContext? Context { get; private set; }

    public Task<TaskOutcome> Outcome => _outcome.Task;

    /// <summary>The stream, by its number in the session, that took it to send it; 0 before.</summary>
    public int Stream { get; set; }

    /// <summary>The number of the message that brought it to the worker; 0 before, and after a restart of the pool.</summary>
    public long Sequence { get; set; }

    /// <summary>The number of the newest heartbeat that named it.</summary>
    public long NamedBy { get; set; }

    /// <summary>The message that reported its ending.</summary>
    public PendingReports? ReportedBy { get; set; }

    public bool IsOrphan => Volatile.Read(ref _session) is null;

    public bool IsReported => _reported;

    public bool Outlives => IsOrphan || Stream != 0;

    public long ReportedNonce => _reported ? Token.Nonce : 0;

    /// <summary>Makes it the lease of a worker; false where it is another's.</summary>
    public bool TryBelongTo(WorkerSession session) => Interlocked.CompareExchange(ref _session, session, null) is null;

    /// <summary>Goes on with an attempt of a former process.</summary>
    public ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping)
    {
        Take((AttemptContext)context);
        return new ValueTask<TaskOutcome>(Outcome);
    }

    public void Take(AttemptContext context)
    {
        Context = context;
        context.Holder = this;
    }

    public void Renew(long now) => Volatile.Write(ref _renewedAt, now);

    public bool IsExpired(TimeProvider time, TimeSpan duration) => !_reported && time.GetElapsedTime(Volatile.Read(ref _renewedAt)) >= duration;

    /// <summary>Its holder is about to say how it ended, and nobody else does from now on.</summary>
    public void BeginReport() => _reported = true;

    /// <summary>Its holder says how it ended.</summary>
    public void Report(TaskOutcome outcome) => _outcome.TrySetResult(outcome);

    /// <summary>It ends without its holder. Harmless where that has reported.</summary>
    public void End(TaskOutcome outcome)
    {
        if (!_reported)
            _outcome.TrySetResult(outcome);
    }

    /// <summary>The lease is revoked, and its holder told.</summary>
    public void Revoke()
    {
        if (_session is { } session)
            session.Revoke(this);
        else
            End(TaskOutcome.Lost());
    }

    void IAttemptHolder.Stop(StopReason reason, TimeSpan grace) => _session?.Stop(this, reason, grace);

    void IAttemptHolder.Kill() => Revoke();

    void IAttemptHolder.EndCommitted()
    {
        leases.Close(Token);
        _session?.Forget(this);
    }
}
