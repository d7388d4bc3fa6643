using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Execution;

/// <summary>Why an attempt was told to stop.</summary>
internal enum StopReason
{
    None,
    Cancelled,
    RunTimeout,
    TotalTimeout,
    Drained,
}

/// <summary>
/// One running attempt: told to stop first, stopped by force after a grace, given up when even that does not end it. It runs on the thread pool, and hands in its own ending, which nobody awaits.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The source has no timer and no wait handle, and a stop may still be on its way to it when the attempt has ended.")]
internal sealed class RunningAttempt : IThreadPoolWorkItem, ICommandRequest
{
    /// <summary>How long a handler that was stopped by force may take to return before its lease is revoked.</summary>
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(1);

    /// <summary>Timers know no longer time; what is beyond is looked at again then.</summary>
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(45);

    private readonly Lock _lock = new();
    private readonly TaskRecord _task;
    private readonly HandlerEntry _handler;
    private readonly Executor _executor;
    private readonly TimeSpan _spent;
    private readonly CancellationTokenSource _stopping = new();
    private ITimer? _deadline;
    private ITimer? _timer;
    private Action _onTimer = static () => { };
    private PackedTime _killAt;
    private StopReason _reason;

    /// <summary>Set when the attempt is given up: ends when that is committed.</summary>
    private TaskCompletionSource? _givenUp;
    private EndAttempt? _end;
    private bool _handlerReturned;
    private bool _began;
    private bool _ended;
    private long _beganAt;
    private TimeSpan _took;
    private Activity? _span;

    /// <param name="task">The task.</param>
    /// <param name="lease">What it holds.</param>
    /// <param name="handler">Who runs it.</param>
    /// <param name="executor">Who started it.</param>
    /// <param name="spent">How much of its time has passed already, in a former process.</param>
    public RunningAttempt(TaskRecord task, SlotLease lease, HandlerEntry handler, Executor executor, TimeSpan spent = default)
    {
        (_task, Lease, _handler, _executor, _spent) = (task, lease, handler, executor, spent);
        Context = new AttemptContext(task, lease, RunTimeout, executor, _lock);
    }

    public SlotLease Lease { get; }

    public AttemptContext Context { get; }

    public TaskId Id => _task.Id;

    public long Claim => _task.Claim;

    /// <summary>Starts the clock and queues the attempt to the thread pool.</summary>
    public void Start()
    {
        lock (_lock)
            ArmDeadline_NeedsLock();
        if (_handler.HandsOver)
            _executor.Observe(RunAsync());
        else
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => _executor.Observe(RunAsync());

    /// <summary>Tells the attempt to stop, and stops it by force after a grace. Asked again, the shorter grace counts.</summary>
    public void Stop(StopReason reason, TimeSpan grace)
    {
        lock (_lock)
        {
            DateTimeOffset killAt = _executor.Time.GetUtcNow() + grace;
            if (_ended || (DateTimeOffset?)_killAt <= killAt)
                return;
            _killAt = killAt;
            if (_reason == StopReason.None)
                _reason = reason;
            Arm_NeedsLock(grace, Kill);
        }

        _executor.Observe(_stopping.CancelAsync());
        Context.Holder?.Stop(reason, grace);
    }

    TaskCommand? ICommandRequest.Command => _end;

    SlotLease? ICommandRequest.Released => _handlerReturned ? Lease : null;

    /// <summary>It ends, which is to be handed in.</summary>
    /// <param name="end">Its ending.</param>
    /// <param name="handlerReturned">Whether it gives back what it holds; else its handler goes on.</param>
    public void SetEnd(EndAttempt end, bool handlerReturned) => (_end, _handlerReturned) = (end, handlerReturned);

    void ICommandRequest.Committed(CommandOutcome outcome) => _executor.Ended(this, outcome);

    void ICommandRequest.Failed(Exception fault) => _executor.EndLater(this, fault);

    /// <summary>Its ending is committed.</summary>
    public void EndCommitted(CommandOutcome commit)
    {
        Measure(AttemptOutcomes.Of(_end!.Ending, commit), commit.Task?.Failure);
        _givenUp?.TrySetResult();
        Context.Holder?.EndCommitted();
    }

    /// <summary>Leaves it to whoever holds its lease: nothing is committed. False where it has ended already, or nobody does.</summary>
    public bool TryAbandon()
    {
        lock (_lock)
        {
            if (_ended || Context.Holder is not { Outlives: true })
                return false;
            _ended = true;
            _givenUp = new TaskCompletionSource();
            _deadline?.Dispose();
            _timer?.Dispose();
            _span?.Stop();
            return true;
        }
    }

    /// <summary>Whether the total timeout has passed on the wall clock, which may have been set forward meanwhile.</summary>
    public void CheckTotalTimeout(DateTimeOffset now)
    {
        if (_task.TotalDeadline <= now)
            Stop(StopReason.TotalTimeout, _handler.KillAfter);
    }

    private async Task RunAsync()
    {
        TaskOutcome outcome;
        Begin();
        try
        {
            lock (_lock)
                _began = _reason != StopReason.Drained && !_ended;
            outcome = _began ? await _handler.Handler.RunAsync(Context, _stopping.Token).ConfigureAwait(false) : Stopped();
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            outcome = Stopped();
        }
#pragma warning disable CA1031 // Whatever a handler throws is its task's failure, and nobody else's.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            outcome = TaskOutcome.Failed(new Failure(FailureCode.HandlerError, fault.Message, retryable: true, fault.ToString()));
        }

        if (TryEnd(outcome) is { } ending)
            await _executor.EndAsync(this, ending, handlerReturned: true).ConfigureAwait(false);
        else
            await ReturnAfterEndAsync().ConfigureAwait(false);
    }

    /// <summary>Its span is that of all that its handler does.</summary>
    private void Begin()
    {
        _span = AttemptTrace.Start(_task, IsAdopted);
        if (_span is not null)
            Context.Continue(_span);
        if (!_executor.Metrics.IsEnabled)
            return;
        _beganAt = _executor.Time.GetTimestamp();
        if (!IsAdopted)
            _executor.Metrics.Started(_task);
    }

    /// <summary>What is measured of a traced attempt leads to its trace, by the current span.</summary>
    private void Measure(AttemptOutcome outcome, Failure? failure)
    {
        Activity? current = _span is null ? null : Activity.Current;
        if (_span is not null)
            Activity.Current = _span;
        if (outcome == AttemptOutcome.Fenced)
            _executor.Metrics.Fenced();
        if (_beganAt != 0)
            _executor.Metrics.Ended(_task.Spec.Kind, outcome, _took);
        if (_span is null)
            return;
        AttemptTrace.End(_span, outcome, failure);
        Activity.Current = current;
    }

    private void Kill()
    {
        lock (_lock)
        {
            if (_ended)
                return;
            Arm_NeedsLock(GiveUpAfter, GiveUp);
        }

        _executor.Observe(Context.KillAsync());
        Context.Holder?.Kill();
    }

    private void GiveUp()
    {
        if (TryEnd(Stopped(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)) is { } ending)
            _executor.Observe(_executor.EndAsync(this, ending, handlerReturned: false));
    }

    /// <summary>The slots of a task come back when it has ended for all to see, not before.</summary>
    private async Task ReturnAfterEndAsync()
    {
        await _givenUp!.Task.ConfigureAwait(false);
        _executor.ReturnedAfterEnd(this);
    }

    /// <summary>The first who ends the attempt decides how; null for anybody later.</summary>
    private AttemptEnding? TryEnd(TaskOutcome outcome, TaskCompletionSource? givenUp = null)
    {
        lock (_lock)
        {
            if (_ended)
                return null;
            _ended = true;
            _took = _beganAt == 0 ? TimeSpan.Zero : _executor.Time.GetElapsedTime(_beganAt);
            _givenUp = givenUp;
            _deadline?.Dispose();
            _timer?.Dispose();
            AttemptEnding ending = EndingOf_NeedsLock(outcome);
            return Context.Close() is { } progress ? ending with { Progress = progress } : ending;
        }
    }

    private AttemptEnding EndingOf_NeedsLock(TaskOutcome outcome)
    {
        double sample = Random.Shared.NextDouble();
        if (_reason == StopReason.RunTimeout)
            return new AttemptEnding.Failed(TaskTransitions.RunTimeoutPassed(RunTimeout!.Value), sample);
        if (_reason == StopReason.TotalTimeout)
            return new AttemptEnding.Failed(TaskTransitions.TotalTimeoutPassed(_task.Spec), sample);
        if (outcome.Ending is { } ending)
            return ending;
        if (outcome.Failure is null)
            return _executor.Bounded(outcome, sample);
        return _reason == StopReason.Drained ? new AttemptEnding.Released(_began) : new AttemptEnding.Failed(outcome.Failure, sample) { RetryAfter = outcome.RetryAfter };
    }

    private bool IsAdopted => _spent != TimeSpan.Zero;

    private TimeSpan? RunTimeout => _task.Spec.RunTimeout < _handler.RunTimeout || _handler.RunTimeout is null ? _task.Spec.RunTimeout ?? _handler.RunTimeout : _handler.RunTimeout;

    private void ArmDeadline_NeedsLock()
    {
        TimeSpan? total = _task.TotalDeadline - _executor.Time.GetUtcNow();
        TimeSpan? run = RunTimeout - _spent;
        if (run is { } own && !(total < own))
            ArmDeadline_NeedsLock(AtLeastZero(own), StopReason.RunTimeout);
        else if (total is { } left)
            ArmDeadline_NeedsLock(AtLeastZero(left), StopReason.TotalTimeout);
    }

    private void ArmDeadline_NeedsLock(TimeSpan delay, StopReason reason)
    {
        if (_ended)
            return;
        _deadline?.Dispose();
        _deadline = _executor.Time.CreateTimer(_ => OnDeadline(delay - LongestTimer, reason), null, Shorter(delay, LongestTimer), Timeout.InfiniteTimeSpan);
    }

    private void OnDeadline(TimeSpan left, StopReason reason)
    {
        if (left <= TimeSpan.Zero)
        {
            Stop(reason, _handler.KillAfter);
            return;
        }

        lock (_lock)
            ArmDeadline_NeedsLock(left, reason);
    }

    private void Arm_NeedsLock(TimeSpan delay, Action action)
    {
        _onTimer = action;
        TimeSpan due = Shorter(delay, LongestTimer);
        if (_timer is null)
            _timer = _executor.Time.CreateTimer(static self => ((RunningAttempt)self!).OnTimer(), this, due, Timeout.InfiniteTimeSpan);
        else
            _timer.Change(due, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        Action action;
        lock (_lock)
            action = _onTimer;
        action();
    }

    private static TimeSpan AtLeastZero(TimeSpan span) => span > TimeSpan.Zero ? span : TimeSpan.Zero;

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TaskOutcome Stopped() => TaskOutcome.Failed(new Failure(FailureCode.HandlerError, "the attempt was stopped", retryable: true));
}
