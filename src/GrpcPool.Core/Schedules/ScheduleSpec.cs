using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Schedules;

/// <summary>What a schedule submits and when, checked and with every default filled in.</summary>
internal sealed record ScheduleSpec
{
    /// <summary>What each of its tasks is.</summary>
    public required TaskSpec Task { get; init; }

    public required Timetable Timetable { get; init; }

    /// <summary>No due time before it; fixed rates and delays begin with it.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>No due time after it.</summary>
    public DateTimeOffset? EndAt { get; init; }

    /// <summary>After so many runs there is no due time any more; 0 for no bound.</summary>
    public long MaxRuns { get; init; }

    /// <summary>By how much each firing is put off at most: always by the same for the same due time.</summary>
    public TimeSpan Jitter { get; init; }

    public OverlapPolicy Overlap { get; init; } = OverlapPolicy.Skip;

    public CatchUpPolicy CatchUp { get; init; } = CatchUpPolicy.Skip;
}

/// <summary>What becomes of a due time while a task of the schedule has not ended.</summary>
public enum OverlapPolicy
{
    /// <summary>It is skipped.</summary>
    Skip = 1,

    /// <summary>One waits for the end of what runs; more are skipped.</summary>
    QueueOne,

    /// <summary>It fires all the same.</summary>
    Allow,

    /// <summary>What waits or runs is cancelled, and it fires.</summary>
    CancelRunning,
}

/// <summary>What becomes of due times that passed while nobody could fire them.</summary>
public enum CatchUpPolicy
{
    /// <summary>They are missed.</summary>
    Skip = 1,

    /// <summary>The last of them fires, the others are missed.</summary>
    One,

    /// <summary>Those of the last seven days fire.</summary>
    All,
}
