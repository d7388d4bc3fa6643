using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Storage.Tests.Model;

/// <summary>One task as the contract speaks of it.</summary>
internal sealed class ModelTask(NewTask submitted, DateTimeOffset now)
{
    public NewTask Submitted { get; } = submitted;

    public TaskSpec Spec => Submitted.Spec;

    public TaskState State { get; set; }

    public int Version { get; set; } = 1;

    public int Attempt { get; set; }

    public int Failures { get; set; }

    public int Losses { get; set; }

    public bool CancelAsked { get; set; }

    /// <summary>Which start of this task runs; none while 0.</summary>
    public long Claim { get; set; }

    public DateTimeOffset RunAt { get; set; } = submitted.RunAt > now ? submitted.RunAt.Value : now;

    public DateTimeOffset? DueAt { get; set; }

    public DateTimeOffset? ExpiresAt { get; set; }

    public FailureCode? Failure { get; set; }

    /// <summary>Those that it waits for, and those that it keeps, which are more.</summary>
    public HashSet<ModelTask> Awaits { get; } = [];

    public HashSet<ModelTask> Keeps { get; } = [];

    /// <summary>How many tasks keep it.</summary>
    public int Keepers { get; set; }

    /// <summary>All that was ever logged, what was given up as zeros.</summary>
    public List<byte> Log { get; } = [];

    /// <summary>Up to where the log was given up.</summary>
    public long LogGap { get; set; }

    public bool IsFinal => State is TaskState.Succeeded or TaskState.Failed or TaskState.Cancelled or TaskState.Expired;

    public DateTimeOffset? StartDeadline => State == TaskState.Queued && Attempt == 0 ? DueAt + Spec.StartTimeout : null;

    public DateTimeOffset? TotalDeadline => State is TaskState.Queued or TaskState.Retrying ? DueAt + Spec.TotalTimeout : null;

    /// <summary>When the clock changes it.</summary>
    public DateTimeOffset? WakeAt
    {
        get
        {
            DateTimeOffset? own = (State == TaskState.Scheduled && Awaits.Count == 0) || State == TaskState.Retrying ? RunAt : IsFinal && Keepers == 0 ? ExpiresAt : null;
            return new[] { own, StartDeadline, TotalDeadline }.Min();
        }
    }
}
