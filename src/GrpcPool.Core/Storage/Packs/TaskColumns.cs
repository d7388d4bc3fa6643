using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Packs;

/// <summary>What of a task stands beside its packs.</summary>
internal readonly record struct TaskColumns
{
    public TaskId Id { get; init; }

    public long Sequence { get; init; }

    public long Revision { get; init; }

    public required string Kind { get; init; }

    public required string Queue { get; init; }

    public int Priority { get; init; }

    public int Slots { get; init; }

    public required string SerialKey { get; init; }

    public TaskState State { get; init; }

    public long Version { get; init; }

    public DateTimeOffset RunAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    public long Claim { get; init; }

    public long Line { get; init; }

    public bool Blocked { get; init; }

    public int Attempt { get; init; }

    public int Losses { get; init; }

    public static TaskColumns Of(TaskRecord task) => new()
    {
        Id = task.Id,
        Sequence = task.Sequence,
        Revision = task.Revision,
        Kind = task.Spec.Kind,
        Queue = task.Spec.Queue,
        Priority = task.Spec.Priority,
        Slots = task.Spec.Slots,
        SerialKey = task.Spec.SerialKey,
        State = task.State,
        Version = task.Version,
        RunAt = task.RunAt,
        FinishedAt = task.FinishedAt,
        Claim = task.Claim,
        Line = task.Line,
        Blocked = task.Blocked,
        Attempt = task.Attempt,
        Losses = task.Losses,
    };

    /// <summary>Of those that never change.</summary>
    public Checksum SpecChecksum() => Checksum.None.Add(Sequence).Add(Id.Namespace).Add(Id.Value).Add(Kind).Add(Queue).Add(Priority).Add(Slots).Add(SerialKey);

    /// <summary>Of those that do.</summary>
    public Checksum LifeChecksum() => Checksum.None.Add(Sequence).Add((long)State).Add(Version).Add(Revision)
        .Add(Times.ToTicks(RunAt)).Add(Claim).Add(Line).Add(Blocked ? 1 : 0).Add(Attempt).Add(Losses).Add(Times.ToTicks(FinishedAt));
}
