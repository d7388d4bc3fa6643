using GrpcPool.Core.Tasks;
using GrpcPool.Core.Workers;

namespace GrpcPool.Core.Storage;

/// <summary>One wish of the write seam: what shall become true of which task.</summary>
internal abstract record TaskCommand;

/// <summary>Inserts tasks, in order.</summary>
/// <param name="Items">The tasks, and how to insert each.</param>
/// <param name="Atomic">All of them or none.</param>
internal sealed record InsertTasks(IReadOnlyList<Insertion> Items, bool Atomic = false) : TaskCommand;

/// <summary>A task to be inserted.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Spec">What it is.</param>
internal sealed record NewTask(TaskId Id, TaskSpec Spec)
{
    /// <summary>Over the spec as sent; null where the server made the id.</summary>
    public byte[]? SpecHash { get; init; }

    public string SubmittedBy { get; init; } = "";

    /// <summary>Null: due at once.</summary>
    public DateTimeOffset? RunAt { get; init; }
}

/// <summary>A new task with what its admission decided.</summary>
internal readonly record struct Insertion(NewTask Task, InsertMode Mode, AttemptStart Start = default);

/// <summary>How to insert a task.</summary>
internal enum InsertMode
{
    /// <summary>To wait for its start.</summary>
    Plain,

    /// <summary>As running, if it is ready: a slot is kept for it.</summary>
    Start,

    /// <summary>In the place of the oldest never-started task of its queue with no higher priority.</summary>
    Displace,

    /// <summary>As one for which there is no room, and which needs none: its unique key is held. If it is no longer, it is refused.</summary>
    WithoutRoom,
}

/// <summary>Starts an attempt, if the task is still ready.</summary>
internal sealed record StartTask(TaskId Id, AttemptStart Start = default) : TaskCommand;

/// <summary>Lets the attempt with this claim go on outside of this process, at most until a time; any other claim changes nothing. The task's version stays.</summary>
internal sealed record LeaveRunning(TaskId Id, LeaseToken Lease, DateTimeOffset Until) : TaskCommand;

/// <summary>Adds to the log of the task whose running attempt has this claim; any other claim changes nothing. The task's version stays.</summary>
internal sealed record AppendLog(TaskId Id, long Claim, LogPiece Piece) : TaskCommand;

/// <summary>Ends the attempt with this claim; any other claim changes nothing.</summary>
internal sealed record EndAttempt(TaskId Id, long Claim, AttemptEnding Ending) : TaskCommand
{
    /// <summary>What is still missing in the log. Nothing by default.</summary>
    public LogPiece LastPiece { get; init; }

    /// <summary>Of the lease whose holder made the ending; 0, the default, for none.</summary>
    public long Nonce { get; init; }
}

/// <summary>Ends a waiting task, marks a running one.</summary>
internal sealed record CancelTask(TaskId Id, string Reason, string By) : TaskCommand
{
    /// <summary>Whether a task that runs is left alone. False by default.</summary>
    public bool OnlyWaiting { get; init; }
}

/// <summary>Runs a failed, cancelled or expired task again.</summary>
internal sealed record RetryTask(TaskId Id) : TaskCommand;

/// <summary>Forgets a finished task.</summary>
internal sealed record DeleteTask(TaskId Id) : TaskCommand;

/// <summary>Makes kinds known, for good.</summary>
internal sealed record DeclareKinds(IReadOnlyList<DeclaredKind> Kinds) : TaskCommand;

/// <summary>A kind that somebody runs, or has run, in a namespace.</summary>
internal readonly record struct DeclaredKind(string Namespace, string Kind);

/// <summary>Keeps what an operator has changed about the settings, for good.</summary>
internal sealed record ChangeSettings(IReadOnlyList<SettingChange> Changes) : TaskCommand;

/// <summary>A setting that differs from the settings file; a null value where it does no longer.</summary>
internal readonly record struct SettingChange(string Key, string? Value);

/// <summary>Makes what is due at this time: starts of waiting, timeouts, ends of retention; the earliest first.</summary>
internal sealed record WakeTasks(int Max) : TaskCommand;

/// <summary>Forgets the oldest finished tasks above a number.</summary>
internal sealed record PruneTasks(int Keep, int Max) : TaskCommand;
