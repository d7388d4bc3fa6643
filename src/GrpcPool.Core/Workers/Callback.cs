using GrpcPool.Core.Execution;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Workers;

/// <summary>The lease on an attempt that its handler may leave running until <c>Complete</c> is called.</summary>
/// <param name="task">The task.</param>
/// <param name="token">What proves the lease.</param>
/// <param name="leases">Where it stands.</param>
internal sealed class Callback(TaskId task, LeaseToken token, LeaseBook leases) : ILease, ITaskHandler
{
    private readonly TaskCompletionSource<TaskOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _committed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _left;

    public TaskId Task { get; } = task;

    public LeaseToken Token { get; } = token;

    public bool Outlives => _left;

    public long ReportedNonce => _outcome.Task.IsCompleted ? Token.Nonce : 0;

    /// <summary>What its holder reports.</summary>
    public Task<TaskOutcome> Outcome => _outcome.Task;

    /// <summary>Ends when the attempt's ending is committed.</summary>
    public Task Committed => _committed.Task;

    /// <summary>Goes on with an attempt of a former process.</summary>
    public async ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping)
    {
        ((AttemptContext)context).Holder = this;
        return await Outcome.WaitAsync(stopping).ConfigureAwait(false);
    }

    /// <summary>The handler has left the attempt running.</summary>
    public void Leave() => _left = true;

    /// <summary>Its holder reports the end; only the first report counts.</summary>
    public void Report(TaskOutcome outcome) => _outcome.TrySetResult(outcome);

    /// <summary>Nobody can be told: the lease no longer stands, and that is said when it is used.</summary>
    public void Stop(StopReason reason, TimeSpan grace)
    {
    }

    public void Kill()
    {
    }

    public void EndCommitted()
    {
        leases.Close(Token);
        _committed.TrySetResult();
    }
}
