using System.Collections.Immutable;
using GrpcPool.Core.Workers;

namespace GrpcPool.Core.Tasks;

/// <summary>
/// One task at one version. Immutable: each change makes a new record, stamped with a revision of its own.
/// </summary>
internal sealed record TaskRecord
{
    /// <summary>How many attempts the history keeps; the oldest leave first.</summary>
    public const int AttemptsMax = 20;

    private readonly PackedTime _submittedAt;
    private readonly PackedTime _updatedAt;
    private readonly PackedTime _runAt;
    private readonly PackedTime _dueAt;
    private readonly PackedTime _startedAt;
    private readonly PackedTime _finishedAt;
    private readonly PackedTime _expiresAt;

    public required TaskId Id { get; init; }

    public required TaskSpec Spec { get; init; }

    /// <summary>The revision at which the task was inserted: its key in the store, rising with age.</summary>
    public required long Sequence { get; init; }

    /// <summary>Over the spec as sent; null where the server made the id.</summary>
    public byte[]? SpecHash { get; init; }

    public string SubmittedBy { get; init; } = "";

    public required DateTimeOffset SubmittedAt
    {
        get => _submittedAt.Value;
        init => _submittedAt = value;
    }

    public required TaskState State { get; init; }

    /// <summary>1, 2, 3 … within this task.</summary>
    public required long Version { get; init; }

    /// <summary>Strictly rising over the whole store.</summary>
    public required long Revision { get; init; }

    public required DateTimeOffset UpdatedAt
    {
        get => _updatedAt.Value;
        init => _updatedAt = value;
    }

    /// <summary>When the task becomes, or became, due; after a failed attempt, when its pause ends.</summary>
    public required DateTimeOffset RunAt
    {
        get => _runAt.Value;
        init => _runAt = value;
    }

    /// <summary>When it first became due; null before. The start and total timeouts count from here.</summary>
    public DateTimeOffset? DueAt
    {
        get => _dueAt;
        init => _dueAt = value;
    }

    public DateTimeOffset? StartedAt
    {
        get => _startedAt;
        init => _startedAt = value;
    }

    public DateTimeOffset? FinishedAt
    {
        get => _finishedAt;
        init => _finishedAt = value;
    }

    public DateTimeOffset? ExpiresAt
    {
        get => _expiresAt;
        init => _expiresAt = value;
    }

    /// <summary>The number of the newest attempt; 0 before the first.</summary>
    public int Attempt { get; init; }

    /// <summary>How many attempts count as failed.</summary>
    public int Failures { get; init; }

    /// <summary>How many attempts were lost with their host.</summary>
    public int Losses { get; init; }

    /// <summary>The running attempt's fence: the revision at which it started. 0 while none runs.</summary>
    public long Claim { get; init; }

    /// <summary>The place in its serial key's line: the revision at which it joined. 0 outside of a line.</summary>
    public long Line { get; init; }

    /// <summary>Whether another task is before it in its line.</summary>
    public bool Blocked { get; init; }

    /// <summary>How many of the tasks after which it is to run have not ended. More than 0 only while it is scheduled.</summary>
    public int Awaits { get; init; }

    /// <summary>How many of the tasks that are, or were, to run after it have not ended: they keep it, over its retention.</summary>
    public int Dependants { get; init; }

    public string Worker { get; init; } = "";

    /// <summary>What is known of leases outside of this process; null where there never was one.</summary>
    public LeaseState? Lease { get; init; }

    public Cancellation? Cancellation { get; init; }

    public Failure? Failure { get; init; }

    public TaskProgress? Progress { get; init; }

    public ReadOnlyMemory<byte> Result { get; init; }

    public string ResultContentType { get; init; } = "";

    /// <summary>The attempts that have ended, but for the one that succeeded: of that the task itself tells everything, and most tasks have no other.</summary>
    public ImmutableArray<AttemptRecord> FormerAttempts { get; init; } = [];

    /// <summary>The attempts that have ended, the oldest first.</summary>
    public ImmutableArray<AttemptRecord> Attempts =>
        State == TaskState.Succeeded ? FormerAttempts.Add(new AttemptRecord(Attempt, StartedAt ?? UpdatedAt, FinishedAt, Worker, Failure: null)) : FormerAttempts;

    /// <summary>Due, and nobody before it in its line: it may start as soon as there is room.</summary>
    public bool IsReady => State == TaskState.Queued && !Blocked;

    public DateTimeOffset? StartDeadline => Attempt == 0 ? DueAt + Spec.StartTimeout : null;

    public DateTimeOffset? TotalDeadline => DueAt + Spec.TotalTimeout;

    /// <summary>When the clock alone next changes this task; null for never. A running task's timeouts are its executor's.</summary>
    public DateTimeOffset? WakeAt => State switch
    {
        TaskState.Scheduled => Awaits > 0 ? null : RunAt,
        TaskState.Queued => Earlier(StartDeadline, TotalDeadline),
        TaskState.Retrying => Earlier(RunAt, TotalDeadline),
        TaskState.Running => null,
        _ => Dependants > 0 ? null : ExpiresAt,
    };

    private static DateTimeOffset? Earlier(DateTimeOffset? a, DateTimeOffset? b) => a is null ? b : b < a ? b : a;
}

/// <summary>That somebody asked for a task's end.</summary>
internal sealed record Cancellation(string Reason, string By, DateTimeOffset At)
{
    /// <summary>By whom a task is cancelled for the next one of its schedule: nobody else tells its executor.</summary>
    public const string Scheduler = "schedule";
}

/// <summary>The leases of a task on attempts outside of this process: they stand over a restart.</summary>
/// <param name="Nonce">What the token of the running attempt's lease has beside its claim; 0 for none.</param>
/// <param name="Until">When that lease ends of itself; null: when nobody renews it.</param>
/// <param name="EndedBy">The lease whose holder made the newest ending of an attempt; default for none.</param>
internal sealed record LeaseState(long Nonce, DateTimeOffset? Until, LeaseToken EndedBy);

/// <summary>How far an attempt is.</summary>
internal sealed record TaskProgress(double Fraction, string Message, DateTimeOffset UpdatedAt);

/// <summary>One attempt of the history.</summary>
internal sealed record AttemptRecord(int Number, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt, string Worker, Failure? Failure);
