using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage;

/// <summary>
/// Where tasks live. One writer calls <see cref="CommitAsync"/>, one call at a time; all reads may come at any time from any thread and see whole commits only.
/// </summary>
internal interface ITaskStore : IScheduleStore
{
    /// <summary>Opens the store and says how it stands. Called once, before all else.</summary>
    ValueTask<StoreState> OpenAsync(DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Executes the commands in order, as one transaction: all is durable when this returns, or nothing has happened when it throws.</summary>
    ValueTask<CommitResult> CommitAsync(IReadOnlyList<TaskCommand> commands, DateTimeOffset now);

    /// <summary>Finds a task by its id.</summary>
    ValueTask<TaskRecord?> FindAsync(TaskId id);

    /// <summary>Finds the task that has a unique key and has not ended.</summary>
    ValueTask<TaskRecord?> FindUniqueAsync(string @namespace, string key);

    /// <summary>Reads tasks in the order of their sequence.</summary>
    ValueTask<TaskPage> ScanAsync(TaskScan scan);

    /// <summary>Reads the first ready tasks of a lane that take at most so many slots, in the order of their start.</summary>
    ValueTask<IReadOnlyList<ReadyTask>> ReadReadyAsync(Lane lane, int slotsMax, int limit);

    /// <summary>Since when the oldest ready task of a lane is due; null where there is none.</summary>
    ValueTask<DateTimeOffset?> FindOldestAsync(Lane lane);

    /// <summary>Counts the tasks of the same queue that start before this ready one, up to a limit.</summary>
    ValueTask<int> CountBeforeAsync(TaskRecord task, int limit);

    /// <summary>Reads what has changed after a revision: of each task only its newest change.</summary>
    ValueTask<ChangePage> ReadChangesAsync(long after, int limit);

    /// <summary>Reads a task's log from an offset, at most so many bytes, at least one where there are any. Null where there is no such task.</summary>
    ValueTask<LogPage?> ReadLogAsync(TaskId id, long offset, int bytesMax);

    /// <summary>What speaks against new tasks though commits succeed, such as a medium that is nearly full; null for nothing. May be called at any time from any thread.</summary>
    StorageException? FindShortage() => null;

    /// <summary>Tries whether commits succeed again, by one that changes nothing. Called as <see cref="CommitAsync"/> is.</summary>
    ValueTask ProbeAsync() => default;

    /// <summary>Copies the store, as it is at the end of the copying, into a new file; commits go on meanwhile.</summary>
    /// <returns>The size of the file in bytes.</returns>
    ValueTask<long> BackUpAsync(string path, CancellationToken cancellation) =>
        throw new StorageException(StorageFault.Unsupported, "the tasks of this server are in memory only: there is nothing to back up");
}

/// <summary>How a store stands when it is opened.</summary>
/// <param name="Floor">The revision this store began with: no older one has a meaning here.</param>
/// <param name="Revision">The newest revision.</param>
/// <param name="NextWake">When the clock next changes something; null for never.</param>
/// <param name="Counts">How many tasks there are, by lane and state.</param>
/// <param name="Running">The attempts that a former process left running.</param>
/// <param name="Kinds">The kinds that were declared.</param>
internal sealed record StoreState(
    long Floor, long Revision, DateTimeOffset? NextWake, IReadOnlyList<LaneCount> Counts, IReadOnlyList<RunningClaim> Running, IReadOnlyList<DeclaredKind> Kinds)
{
    /// <summary>What operators have changed about the settings.</summary>
    public IReadOnlyList<SettingChange> Settings { get; init; } = [];
}

/// <summary>A running attempt: its task, and its claim on it.</summary>
internal readonly record struct RunningClaim(TaskId Id, long Claim);

/// <summary>How many tasks of one lane are in one state, and how many of them are ready.</summary>
internal readonly record struct LaneCount(Lane Lane, TaskState State, long Count, long Ready);

/// <summary>The tasks of one kind in one queue of one namespace.</summary>
internal readonly record struct Lane(string Namespace, string Queue, string Kind)
{
    public static Lane Of(TaskRecord task) => new(task.Id.Namespace, task.Spec.Queue, task.Spec.Kind);
}

/// <summary>What to scan for.</summary>
/// <param name="Filter">Which tasks.</param>
/// <param name="From">The sequence after which to begin (before which, newest first); null for the end of the line.</param>
/// <param name="NewestFirst">The direction.</param>
/// <param name="Limit">How many tasks at most.</param>
internal sealed record TaskScan(TaskFilter Filter, long? From, bool NewestFirst, int Limit);

/// <summary>Some tasks, perhaps fewer than asked for: a scan reads a bounded number of rows.</summary>
/// <param name="Tasks">The tasks.</param>
/// <param name="Next">Where to go on; null at the end.</param>
internal sealed record TaskPage(IReadOnlyList<TaskRecord> Tasks, long? Next);

/// <summary>Some changes, oldest first.</summary>
/// <param name="Changes">The changes; a deleted or pruned task bears only its id.</param>
/// <param name="UpTo">All changes up to this revision have been seen.</param>
/// <param name="Complete">False where the history no longer, or not yet, has what was asked for.</param>
internal sealed record ChangePage(IReadOnlyList<HistoricChange> Changes, long UpTo, bool Complete);

/// <summary>A task that changed; null where it is gone by now.</summary>
internal readonly record struct HistoricChange(TaskId Id, long Revision, TaskRecord? Task);
