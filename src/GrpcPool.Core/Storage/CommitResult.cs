using GrpcPool.Core.Schedules;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage;

/// <summary>What a commit made true.</summary>
/// <param name="Outcomes">One per command, in order.</param>
/// <param name="Changes">Every change, in the order of revisions.</param>
/// <param name="Unblocked">Tasks that became the first of their serial key's line: ready, though nothing a watcher sees has changed.</param>
/// <param name="Logged">Tasks whose log became longer while they went on running.</param>
/// <param name="Revision">The newest revision.</param>
/// <param name="NextWake">When the clock next changes something; null for never.</param>
internal sealed record CommitResult(
    IReadOnlyList<CommandOutcome> Outcomes,
    IReadOnlyList<TaskChange> Changes,
    IReadOnlyList<TaskRecord> Unblocked,
    IReadOnlyList<TaskChange> Logged,
    long Revision,
    DateTimeOffset? NextWake)
{
    /// <summary>All that somebody may be waiting for.</summary>
    public IReadOnlyList<TaskChange> Told => Logged.Count == 0 ? Changes : [.. Logged, .. Changes];
}

/// <summary>What became of one command.</summary>
internal enum Verdict
{
    Done,

    /// <summary>It was so already: the id exists with an equal spec, the task to cancel has finished.</summary>
    Existing,

    /// <summary>The id exists with another spec.</summary>
    Conflict,

    /// <summary>There is no such task.</summary>
    NotFound,

    /// <summary>The task is in a state, or holds a claim, for which this cannot be done.</summary>
    Refused,

    /// <summary>There is no room, and nothing to displace.</summary>
    Full,

    /// <summary>One of the tasks after which it is to run does not exist.</summary>
    NoParent,

    /// <summary>Tasks that are to run after it have not ended.</summary>
    Awaited,

    /// <summary>Another task, which has not ended, has the unique key.</summary>
    KeyHeld,

    /// <summary>Another item of the same atomic insertion could not be done.</summary>
    Aborted,
}

/// <summary>What became of one command, and the task as it is now.</summary>
/// <param name="Verdict">What became of it.</param>
/// <param name="Task">The task; null where there is none.</param>
/// <param name="Items">One per item of an <see cref="InsertTasks"/>; else null.</param>
/// <param name="Place">Which of the tasks after which it is to run does not exist, from 0.</param>
/// <param name="Schedule">The schedule of a <see cref="ScheduleCommand"/>; null where there is none.</param>
internal readonly record struct CommandOutcome(
    Verdict Verdict, TaskRecord? Task = null, IReadOnlyList<CommandOutcome>? Items = null, int Place = 0, ScheduleRecord? Schedule = null);

/// <summary>What sort of change.</summary>
internal enum ChangeType
{
    Changed,

    /// <summary>Somebody had the task deleted.</summary>
    Deleted,

    /// <summary>The task's retention ended, or there were too many finished ones.</summary>
    Pruned,

    /// <summary>Only the progress is new; nothing was committed.</summary>
    Progressed,

    /// <summary>Only the log is longer; the task's version stays.</summary>
    Logged,
}

/// <summary>One change of one task. Immutable, shared by all who watch.</summary>
internal sealed class TaskChange(ChangeType type, TaskRecord task, long revision, TaskState? before = null)
{
    private object? _wireForm;
    private int _keepers;

    public ChangeType Type { get; } = type;

    /// <summary>The task after the change; before it, where it is gone.</summary>
    public TaskRecord Task { get; } = task;

    public long Revision { get; } = revision;

    /// <summary>The state before; null for an insertion.</summary>
    public TaskState? Before { get; } = before;

    /// <summary>One more keeps it. Whether it is the first.</summary>
    public bool AddKeeper() => Interlocked.Increment(ref _keepers) == 1;

    /// <summary>One of those keeps it no more. Whether it was the last.</summary>
    public bool RemoveKeeper() => Interlocked.Decrement(ref _keepers) == 0;

    /// <summary>The change as it goes over the wire, made once for all watchers; null until somebody has made it.</summary>
    public T? WireForm<T>()
        where T : class => (T?)_wireForm;

    /// <summary>Keeps the form on the wire, and answers it.</summary>
    public T SetWireForm<T>(T form)
        where T : class
    {
        _wireForm = form;
        return form;
    }
}
