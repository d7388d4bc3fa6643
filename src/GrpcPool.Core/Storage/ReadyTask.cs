using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage;

/// <summary>What the dispatcher needs to know of a task that may start. The order is that of starts: priority, then when it became due.</summary>
internal sealed record ReadyTask(TaskId Id, string Kind, long Sequence, int Priority, DateTimeOffset RunAt, int Slots, string SerialKey, bool Suspect) : IComparable<ReadyTask>
{
    /// <summary>Tasks with so many losses start one at a time, so that the one that kills its host does not take its neighbours along.</summary>
    private const int SuspectLosses = 2;

    public static ReadyTask Of(TaskRecord task) =>
        new(task.Id, task.Spec.Kind, task.Sequence, task.Spec.Priority, task.RunAt, task.Spec.Slots, task.Spec.SerialKey, IsSuspect(task.Losses));

    public static bool IsSuspect(int losses) => losses >= SuspectLosses;

    public int CompareTo(ReadyTask? other)
    {
        if (other is null)
            return 1;
        int order = other.Priority.CompareTo(Priority);
        if (order == 0)
            order = RunAt.CompareTo(other.RunAt);
        return order == 0 ? Sequence.CompareTo(other.Sequence) : order;
    }
}
