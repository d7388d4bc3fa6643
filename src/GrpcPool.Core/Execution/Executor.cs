using System.Collections.Concurrent;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Workers;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Execution;

/// <summary>Runs the attempts whose start has been committed, and hands in their endings.</summary>
internal sealed class Executor(
    GrpcPoolOptions options, HandlerRegistry handlers, Dispatcher dispatcher, LeaseBook leases, Action<TaskChange> publish, PoolMetrics metrics, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan CommitRetry = TimeSpan.FromSeconds(1);

    /// <summary>By claim: a task whose former handler has not returned yet may run again.</summary>
    private readonly ConcurrentDictionary<long, RunningAttempt> _attempts = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Committer _committer = null!;
    private bool _draining;

    /// <summary>Whether what runs has been stopped by force, at the end of a drain.</summary>
    private volatile bool _forced;

    public TimeProvider Time { get; } = time;

    public PoolMetrics Metrics { get; } = metrics;

    /// <summary>The leases on attempts outside of this process.</summary>
    public LeaseBook Leases { get; } = leases;

    /// <summary>How many bytes of a task's log are kept.</summary>
    public int LogBytesMax => options.Limits.LogBytesMax;

    /// <summary>Lets progress out to watchers.</summary>
    public Action<TaskChange> Publish { get; } = publish;

    /// <summary>Endings go to whoever committed the starts, which closes the circle.</summary>
    public void Attach(Committer committer) => _committer = committer;

    /// <summary>Begins an attempt whose start is committed.</summary>
    public void Start(TaskRecord task, SlotLease lease) => Start(new RunningAttempt(task, lease, lease.Entry ?? handlers[task.Spec.Kind], this));

    /// <summary>Goes on with an attempt that a former process began, and whose lease stands.</summary>
    /// <param name="task">The task.</param>
    /// <param name="holder">Who holds the lease, as a handler.</param>
    public void Adopt(TaskRecord task, HandlerEntry holder)
    {
        TimeSpan spent = Time.GetUtcNow() - (task.StartedAt ?? task.UpdatedAt);
        Start(new RunningAttempt(task, dispatcher.Adopt(task), holder, this, spent > TimeSpan.Zero ? spent : TimeSpan.Zero));
    }

    /// <summary>Gives back the slots of an attempt that goes on outside of this process, and waits for its end.</summary>
    public async Task<TaskOutcome> LeaveRunningAsync(Callback callback, SlotLease lease, LeaveRunning leave, CancellationToken stopping)
    {
        await TryCommitAsync(leave, leave.Id).ConfigureAwait(false);
        callback.Leave();
        dispatcher.ReleaseHost(lease);
        _committer.Nudge();
        return await callback.Outcome.WaitAsync(stopping).ConfigureAwait(false);
    }

    /// <summary>Takes note of what a commit changed about tasks that run.</summary>
    public void Apply(IReadOnlyList<TaskChange> changes)
    {
        foreach (TaskChange change in changes)
        {
            if (change.Before != TaskState.Running || change.Task.State != TaskState.Running || !_attempts.TryGetValue(change.Task.Claim, out RunningAttempt? attempt))
                continue;
            attempt.Context.Update(change.Task);
            if (change.Task.Cancellation?.By == Cancellation.Scheduler)
                attempt.Stop(StopReason.Cancelled, HandlerRegistry.DefaultKillAfter);
        }
    }

    public TaskProgress? ProgressOf(TaskRecord task) => _attempts.TryGetValue(task.Claim, out RunningAttempt? attempt) ? attempt.Context.Progress : task.Progress;

    public void Stop(TaskRecord task, TimeSpan grace)
    {
        if (_attempts.TryGetValue(task.Claim, out RunningAttempt? attempt))
            attempt.Stop(StopReason.Cancelled, grace);
    }

    public void CheckTotalTimeouts(DateTimeOffset now)
    {
        foreach (RunningAttempt attempt in _attempts.Values)
            attempt.CheckTotalTimeout(now);
    }

    /// <summary>Waits until nothing runs; at the timeout, what still runs is stopped by force and released. Nothing may be started any more.</summary>
    public async Task DrainAsync(TimeSpan timeout)
    {
        Volatile.Write(ref _draining, true);
        SignalIfDrained();
        await Task.WhenAny(_drained.Task, Task.Delay(timeout, Time)).ConfigureAwait(false);
        _forced = true;
        foreach (RunningAttempt attempt in _attempts.Values)
        {
            if (attempt.TryAbandon())
            {
                _attempts.TryRemove(attempt.Claim, out _);
                continue;
            }

            Log.AttemptReleased(log, attempt.Id);
            attempt.Stop(StopReason.Drained, TimeSpan.Zero);
        }

        SignalIfDrained();

        await _drained.Task.ConfigureAwait(false);
    }

    /// <summary>Hands in an ending with the rest of the log; <see cref="Ended"/> hears of its commit.</summary>
    public async Task EndAsync(RunningAttempt attempt, AttemptEnding ending, bool handlerReturned)
    {
        if (!handlerReturned)
            dispatcher.HoldKey(attempt.Lease);
        var end = new EndAttempt(attempt.Id, attempt.Claim, ending)
        {
            LastPiece = await attempt.Context.CloseLogAsync().ConfigureAwait(false),
            Nonce = attempt.Context.Holder?.ReportedNonce ?? 0,
        };
        attempt.SetEnd(end, handlerReturned);
        await HandInAsync(attempt).ConfigureAwait(false);
    }

    /// <summary>An ending is committed.</summary>
    public void Ended(RunningAttempt attempt, CommandOutcome outcome)
    {
        _attempts.TryRemove(attempt.Claim, out _);
        attempt.EndCommitted(outcome);
        SignalIfDrained();
    }

    /// <summary>
    /// An ending could not be committed: it is tried again, however often, since what was done is not forgotten because the store has a bad moment. But not for ever: at the end of a drain, and where the
    /// store is damaged, the attempt is left as it is in the store, which the next start takes for lost.
    /// </summary>
    public void EndLater(RunningAttempt attempt, Exception fault)
    {
        if (!_forced && fault is not StorageException { Fault: StorageFault.Corrupt })
        {
            Log.AttemptNotCommitted(log, nameof(EndAttempt), attempt.Id, fault);
            Observe(HandInLaterAsync(attempt));
            return;
        }

        Log.AttemptLeft(log, attempt.Id, fault);
        _attempts.TryRemove(attempt.Claim, out _);
        SignalIfDrained();
    }

    /// <summary>A handler that had been given up has returned after all.</summary>
    public void ReturnedAfterEnd(RunningAttempt attempt)
    {
        dispatcher.Release(attempt.Lease);
        _committer.Nudge();
    }

    /// <summary>A success whose result is too large is a failure.</summary>
    public AttemptEnding Bounded(TaskOutcome success, double jitterSample)
    {
        int max = options.Limits.ResultBytesMax;
        return success.Result.Length <= max
            ? new AttemptEnding.Succeeded(success.Result, success.ContentType)
            : new AttemptEnding.Failed(new Failure(FailureCode.ResultTooLarge, $"the result has {success.Result.Length} bytes, more than Limits:ResultBytesMax ({max})", retryable: false), jitterSample);
    }

    /// <summary>Commits a piece of a log. False where that failed.</summary>
    public Task<bool> TryAppendAsync(AppendLog append) => TryCommitAsync(append, append.Id);

    private async Task<bool> TryCommitAsync(TaskCommand command, TaskId id)
    {
        try
        {
            await _committer.CommitAsync(command).ConfigureAwait(false);
            return true;
        }
#pragma warning disable CA1031 // Whatever the store's trouble is, what was to be committed is kept and tried again.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            Log.AttemptNotCommitted(log, command.GetType().Name, id, fault);
            return false;
        }
    }

    /// <summary>Keeps an eye on work that nobody awaits: its fault is logged.</summary>
    public void Observe(Task work)
    {
        if (!work.IsCompletedSuccessfully)
            _ = work.ContinueWith(done => Log.BackgroundFault(log, done.Exception!), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    private void Start(RunningAttempt attempt)
    {
        _attempts[attempt.Claim] = attempt;
        attempt.Start();
    }

    private async Task HandInLaterAsync(RunningAttempt attempt)
    {
        await Task.Delay(CommitRetry, Time).ConfigureAwait(false);
        await HandInAsync(attempt).ConfigureAwait(false);
    }

    private async ValueTask HandInAsync(ICommandRequest ending)
    {
        try
        {
            await _committer.HandInAsync(ending).ConfigureAwait(false);
        }
        catch (PoolClosedException closed)
        {
            ending.Failed(closed);
        }
    }

    private void SignalIfDrained()
    {
        if (Volatile.Read(ref _draining) && _attempts.IsEmpty)
            _drained.TrySetResult();
    }
}
