using System.Collections.Immutable;
using System.Diagnostics;
using GrpcPool.Core.Workers;

namespace GrpcPool.Core.Tasks;

/// <summary>Who starts an attempt.</summary>
/// <param name="Worker">What the attempt is shown with; empty or null for the server itself.</param>
/// <param name="Nonce">What the token of a worker's lease has beside its claim; 0 for an attempt of the server itself.</param>
internal readonly record struct AttemptStart(string? Worker = null, long Nonce = 0)
{
    public LeaseState? Lease(LeaseState? former) => Nonce == 0 ? former : new LeaseState(Nonce, null, former?.EndedBy ?? default);
}

/// <summary>When, and as which change of the store, a transition happens.</summary>
internal readonly record struct Stamp(long Revision, DateTimeOffset Now);

/// <summary>Every legal change of a task, as pure functions. Whoever holds a task may ask for one; only a store makes it true.</summary>
internal static class TaskTransitions
{
    /// <summary>A new task.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="spec">What it is.</param>
    /// <param name="specHash">Over the spec as sent; null where the server made the id.</param>
    /// <param name="submittedBy">Who submitted it.</param>
    /// <param name="runAt">When it becomes due; null for at once.</param>
    /// <param name="stamp">Of the insertion.</param>
    /// <param name="lineTaken">Whether somebody stands in the line of its serial key.</param>
    /// <param name="start">Who starts it in the same change, if it is ready, which saves a write; null for nobody.</param>
    /// <param name="awaits">How many tasks it waits for.</param>
    public static TaskRecord Submit(
        TaskId id, TaskSpec spec, byte[]? specHash, string submittedBy, DateTimeOffset? runAt, Stamp stamp, bool lineTaken = false, AttemptStart? start = null, int awaits = 0)
    {
        bool timeHasCome = !(runAt > stamp.Now);
        bool due = timeHasCome && awaits == 0;
        bool starts = start is not null && due && !lineTaken;
        return new TaskRecord
        {
            Id = id,
            Spec = spec,
            SpecHash = specHash,
            SubmittedBy = submittedBy,
            SubmittedAt = stamp.Now,
            Sequence = stamp.Revision,
            Version = 1,
            Revision = stamp.Revision,
            UpdatedAt = stamp.Now,
            State = starts ? TaskState.Running : due ? TaskState.Queued : TaskState.Scheduled,
            RunAt = timeHasCome ? stamp.Now : runAt!.Value,
            DueAt = due ? stamp.Now : null,
            StartedAt = starts ? stamp.Now : null,
            Line = due && spec.SerialKey.Length > 0 ? stamp.Revision : 0,
            Blocked = due && lineTaken,
            Awaits = awaits,
            Claim = starts ? stamp.Revision : 0,
            Attempt = starts ? 1 : 0,
            Worker = starts ? start!.Value.Worker ?? "" : "",
            Lease = starts ? start!.Value.Lease(former: null) : null,
        };
    }

    public static TaskRecord Start(TaskRecord task, AttemptStart start, Stamp stamp)
    {
        Debug.Assert(task.IsReady, "only a ready task starts");
        return task with
        {
            State = TaskState.Running,
            Version = task.Version + 1,
            Revision = stamp.Revision,
            UpdatedAt = stamp.Now,
            StartedAt = stamp.Now,
            Claim = stamp.Revision,
            Attempt = task.Failures + 1,
            Worker = start.Worker ?? "",
            Lease = start.Lease(task.Lease),
            Failure = null,
            Progress = null,
        };
    }

    /// <summary>The running attempt goes on outside of this process, at most until a time. Nobody sees a change.</summary>
    public static TaskRecord Leave(TaskRecord task, long nonce, DateTimeOffset until)
    {
        Debug.Assert(task.State == TaskState.Running, "only a running attempt can be left");
        return task with { Lease = new LeaseState(nonce, until, task.Lease?.EndedBy ?? default) };
    }

    /// <summary>One copy of the task for all that its ending changes: this is done for every task.</summary>
    /// <param name="task">The task.</param>
    /// <param name="ending">How its attempt ended.</param>
    /// <param name="stamp">Of the ending.</param>
    /// <param name="nonce">Of the lease whose holder made the ending; 0 for none.</param>
    public static TaskRecord End(TaskRecord task, AttemptEnding ending, Stamp stamp, long nonce = 0)
    {
        Debug.Assert(task.State == TaskState.Running, "only a running attempt ends");
        var succeeded = ending as AttemptEnding.Succeeded;
        bool counts = succeeded is null && task.Cancellation is null;
        int failures = task.Failures + (counts && ending is AttemptEnding.Failed ? 1 : 0);
        int losses = task.Losses + (counts && ending is AttemptEnding.Lost ? 1 : 0);
        Failure? failure = FailureOf(task, ending);
        TaskState state = StateAfter(task, ending, failures, losses);
        bool final = state.IsFinal();
        return task with
        {
            State = state,
            Version = task.Version + 1,
            Revision = stamp.Revision,
            UpdatedAt = stamp.Now,
            RunAt = state == TaskState.Retrying ? stamp.Now + PauseAfter(task, ending, failures) : task.RunAt,
            FinishedAt = final ? stamp.Now : null,
            ExpiresAt = final ? stamp.Now + task.Spec.Retention : null,
            Failures = failures,
            Losses = losses,
            Failure = counts ? failure : null,
            Progress = ending.Progress ?? task.Progress,
            Result = succeeded?.Result ?? default,
            ResultContentType = succeeded?.ContentType ?? "",
            Claim = 0,
            Lease = LeaseAfter(task, nonce),
            Line = final ? 0 : task.Line,
            FormerAttempts = state == TaskState.Succeeded ? RoomForOne(task) : RoomForOne(task).Add(new AttemptRecord(task.Attempt, task.StartedAt ?? stamp.Now, stamp.Now, task.Worker, failure)),
        };
    }

    /// <summary>A waiting task ends at once; a running one is marked, and its executor told.</summary>
    public static TaskRecord Cancel(TaskRecord task, Cancellation cancellation, Stamp stamp)
    {
        Debug.Assert(!task.State.IsFinal(), "a finished task stays as it is");
        return task.State == TaskState.Running
            ? Change(task, stamp) with { Cancellation = task.Cancellation ?? cancellation }
            : Finish(task, TaskState.Cancelled, null, stamp) with { Cancellation = cancellation };
    }

    /// <summary>What the clock alone makes of a waiting task at its <see cref="TaskRecord.WakeAt"/>.</summary>
    public static TaskRecord Wake(TaskRecord task, Stamp stamp)
    {
        Debug.Assert(task.State.IsWaiting() && task.WakeAt <= stamp.Now, "it is time");
        if (task.StartDeadline <= stamp.Now && !(task.TotalDeadline <= task.StartDeadline))
            return Finish(task, TaskState.Expired, null, stamp);
        if (task.TotalDeadline <= stamp.Now)
            return Finish(task, TaskState.Failed, TotalTimeoutPassed(task.Spec), stamp);
        return Enqueue(task, stamp);
    }

    /// <summary>The last of the tasks after which it is to run has ended, and its time has come.</summary>
    public static TaskRecord Follow(TaskRecord task, Stamp stamp)
    {
        Debug.Assert(task is { State: TaskState.Scheduled, Awaits: 1 } && task.RunAt <= stamp.Now, "it waits for nothing else");
        return Enqueue(task with { Awaits = 0, RunAt = stamp.Now }, stamp);
    }

    /// <summary>Runs a task that failed, was cancelled or expired again, as if anew.</summary>
    public static TaskRecord Retry(TaskRecord task, Stamp stamp)
    {
        Debug.Assert(CanRetry(task), "a success is not run again");
        return Enqueue(task, stamp) with
        {
            RunAt = stamp.Now,
            DueAt = stamp.Now,
            StartedAt = null,
            FinishedAt = null,
            ExpiresAt = null,
            Attempt = 0,
            Failures = 0,
            Losses = 0,
            Cancellation = null,
            Failure = null,
            Progress = null,
            Worker = "",
        };
    }

    public static bool CanRetry(TaskRecord task) => task.State is TaskState.Failed or TaskState.Cancelled or TaskState.Expired;

    public static Failure RunTimeoutPassed(TimeSpan limit) => new(FailureCode.Timeout, $"the attempt took longer than its run_timeout of {limit:c}", retryable: true);

    public static Failure TotalTimeoutPassed(TaskSpec spec) => new(FailureCode.Timeout, $"the task took longer than its total_timeout of {spec.TotalTimeout:c}", retryable: false);

    /// <summary>After a cancellation was asked for, every ending but success is the cancellation's.</summary>
    private static TaskState StateAfter(TaskRecord task, AttemptEnding ending, int failures, int losses)
    {
        if (ending is AttemptEnding.Succeeded)
            return TaskState.Succeeded;
        if (task.Cancellation is not null)
            return TaskState.Cancelled;
        return ending switch
        {
            AttemptEnding.Failed failed => failed.Failure.Retryable && failures < task.Spec.Retry.MaxAttempts ? TaskState.Retrying : TaskState.Failed,
            AttemptEnding.Lost => losses <= task.Spec.Retry.MaxLosses ? TaskState.Retrying : TaskState.Failed,
            AttemptEnding.Released => FailureOf(task, ending) is null ? TaskState.Queued : TaskState.Failed,
            _ => throw new UnreachableException(),
        };
    }

    private static LeaseState? LeaseAfter(TaskRecord task, long nonce)
    {
        LeaseToken endedBy = nonce == 0 ? task.Lease?.EndedBy ?? default : new LeaseToken(task.Claim, nonce);
        return endedBy == default ? null : new LeaseState(0, null, endedBy);
    }

    private static TimeSpan PauseAfter(TaskRecord task, AttemptEnding ending, int failures) => ending is AttemptEnding.Failed failed
        ? task.Spec.Retry.PauseAfter(failures, failed.JitterSample, failed.RetryAfter)
        : task.Spec.Retry.InitialBackoff;

    private static TaskRecord Enqueue(TaskRecord task, Stamp stamp) => Change(task, stamp) with
    {
        State = TaskState.Queued,
        DueAt = task.DueAt ?? task.RunAt,
        Line = task.Line == 0 && task.Spec.SerialKey.Length > 0 ? stamp.Revision : task.Line,
    };

    private static TaskRecord Finish(TaskRecord task, TaskState state, Failure? failure, Stamp stamp) => Change(task, stamp) with
    {
        State = state,
        Failure = failure,
        FinishedAt = stamp.Now,
        ExpiresAt = stamp.Now + task.Spec.Retention,
        Line = 0,
        Blocked = false,
        Awaits = 0,
    };

    private static TaskRecord Change(TaskRecord task, Stamp stamp) =>
        task with { Version = task.Version + 1, Revision = stamp.Revision, UpdatedAt = stamp.Now };

    /// <summary>The attempts before the running one, without the oldest where they are as many as are kept.</summary>
    private static ImmutableArray<AttemptRecord> RoomForOne(TaskRecord task) =>
        task.FormerAttempts.Length < TaskRecord.AttemptsMax ? task.FormerAttempts : task.FormerAttempts.RemoveAt(0);

    /// <summary>What went wrong with an attempt: a release only where the task may not begin twice.</summary>
    private static Failure? FailureOf(TaskRecord task, AttemptEnding ending) => ending switch
    {
        AttemptEnding.Failed failed => failed.Failure,
        AttemptEnding.Lost => LeaseLost(),
        AttemptEnding.Released { HandlerBegan: true } when task.Spec.Retry.MaxLosses == 0 => LeaseLost(),
        _ => null,
    };

    private static Failure LeaseLost() => new(FailureCode.LeaseLost, "the attempt was lost with its host", retryable: true);
}
