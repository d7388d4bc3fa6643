using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Schedules;

/// <summary>One schedule as it stands. Immutable: each change makes a new record.</summary>
internal sealed record ScheduleRecord
{
    public required ScheduleId Id { get; init; }

    public required ScheduleSpec Spec { get; init; }

    /// <summary>Counts what people change; firings do not.</summary>
    public long Version { get; init; } = 1;

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Who made it, or last put another spec in its place: its tasks are submitted on his behalf. Empty where that is not known.</summary>
    public string SubmittedBy { get; init; } = "";

    /// <summary>Since when the present timetable holds.</summary>
    public required DateTimeOffset Since { get; init; }

    public bool Paused { get; init; }

    /// <summary>The next due time; null while there is none, as with a fixed delay while a task has not ended.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>The due time that waits for the end of what runs; null for none.</summary>
    public DateTimeOffset? HeldBack { get; init; }

    /// <summary>Which due times are still to come; of a fixed delay, nothing is known of them.</summary>
    public Unfired Unfired { get; init; } = Unfired.From(null);

    public DateTimeOffset? LastRunAt { get; init; }

    public string LastTaskId { get; init; } = "";

    /// <summary>How many tasks it has submitted.</summary>
    public long Runs { get; init; }

    /// <summary>How many due times did not fire for an overlap or for want of room.</summary>
    public long Skipped { get; init; }

    /// <summary>How many due times passed while nobody could fire them.</summary>
    public long Missed { get; init; }

    public ScheduleFailure? LastFailure { get; init; }

    /// <summary>Over what the settings said of it when they were last heard; null where they never named it.</summary>
    public byte[]? SettingsHash { get; init; }

    /// <summary>Deleted by somebody though the settings name it: kept only so that they do not bring it back.</summary>
    public bool Deleted { get; init; }

    /// <summary>When it fires next; null for never, as things stand.</summary>
    public DateTimeOffset? WakeAt => Paused || Deleted || DueAt is not { } due ? null : due + DueTimes.JitterOf(Id, due, Spec.Jitter);

    /// <summary>If the clock is set back to before this, the next due time has to be found anew; null for never.</summary>
    public DateTimeOffset? RewindAt => Deleted ? null
        : Spec.Timetable is Timetable.FixedDelay delay ? DueAt - delay.Pause
        : Unfired.Gaps is [.., var newest] ? newest.To : null;

    /// <summary>A task of it.</summary>
    /// <param name="id">The task's id.</param>
    /// <param name="by">On whose behalf it is submitted.</param>
    public NewTask NewTask(TaskId id, string by) => new(id, Spec.Task with { ScheduleId = Id.Value }) { SubmittedBy = by };

    /// <summary>The due times of its present timetable.</summary>
    public DueTimes DueTimes => new(Spec, Since);
}

/// <summary>What last went wrong.</summary>
/// <param name="TaskId">The task that failed; empty where none could be submitted.</param>
/// <param name="Message">What went wrong.</param>
/// <param name="At">When.</param>
internal sealed record ScheduleFailure(string TaskId, string Message, DateTimeOffset At);
