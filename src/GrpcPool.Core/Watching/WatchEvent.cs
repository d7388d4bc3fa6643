using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Watching;

/// <summary>What a watcher is told. The numbers are those of the contract.</summary>
internal enum WatchEventType
{
    Snapshot = 1,
    Changed = 2,
    Progress = 3,
    Synced = 4,
    Deleted = 5,
}

/// <summary>One event of a watch.</summary>
/// <param name="Type">What sort of event.</param>
/// <param name="Change">The task, and its form on the wire; null for <see cref="WatchEventType.Synced"/>.</param>
internal readonly record struct WatchEvent(WatchEventType Type, TaskChange? Change)
{
    public static readonly WatchEvent Synced = new(WatchEventType.Synced, null);

    public static WatchEvent Snapshot(TaskRecord task) => new(WatchEventType.Snapshot, new TaskChange(ChangeType.Changed, task, task.Revision));

    public static WatchEvent Of(TaskChange change) => new(
        change.Type switch
        {
            ChangeType.Deleted or ChangeType.Pruned => WatchEventType.Deleted,
            ChangeType.Progressed => WatchEventType.Progress,
            _ => WatchEventType.Changed,
        },
        change);
}

/// <summary>Some events, in order.</summary>
/// <param name="Events">The events; none for a heartbeat.</param>
/// <param name="Revision">All changes up to it have been told; 0 until the snapshot is complete.</param>
internal readonly record struct WatchBatch(IReadOnlyList<WatchEvent> Events, long Revision);

/// <summary>What to watch.</summary>
internal sealed record WatchQuery
{
    /// <summary>The ids; empty to watch by filter.</summary>
    public IReadOnlyList<TaskId> Ids { get; init; } = [];

    /// <summary>Whose <c>States</c> restrict the snapshot alone; null to watch by ids.</summary>
    public TaskFilter? Filter { get; init; }

    /// <summary>The tasks that the watcher may know of: others are none, for him. Null for all.</summary>
    public TaskScope? Scope { get; init; }

    /// <summary>The last revision the watcher knows: no snapshot, but what has changed since.</summary>
    public long? AfterRevision { get; init; }

    /// <summary>No snapshot, only what changes from now on.</summary>
    public bool SkipSnapshot { get; init; }

    /// <summary>Whether it goes on while the pool drains, to hear of the last endings.</summary>
    public bool OutlastsDrain { get; init; }

    /// <summary>How long nothing happens before a batch without events says that all is well.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(15);
}

/// <summary>Why a watch cannot begin or go on.</summary>
internal enum WatchFault
{
    /// <summary>A watched id is unknown.</summary>
    NotFound,

    /// <summary>The revision is not, or no longer, one to go on from.</summary>
    OutOfRange,

    /// <summary>Too many watch already.</summary>
    TooMany,

    /// <summary>The pool shuts down.</summary>
    Draining,
}

/// <summary>A watch cannot begin or go on.</summary>
internal sealed class WatchException(WatchFault fault, string message, string subject = "") : Exception(message)
{
    public static WatchException NotFound(TaskId id) => new(WatchFault.NotFound, $"no task has the id '{id.Value}'", id.Value);

    public static WatchException Ended() => new(WatchFault.Draining, "the pool shuts down; go on with after_revision when it is back");

    /// <summary>The id that is unknown, where that is the fault.</summary>
    public string Subject { get; } = subject;

    public WatchFault Fault { get; } = fault;
}
