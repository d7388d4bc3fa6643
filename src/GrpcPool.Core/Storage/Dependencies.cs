using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage;

/// <summary>What the end of one task means for those that are to run after it, and for those that it keeps: all within the transaction of that end.</summary>
/// <param name="table">The rows.</param>
/// <param name="write">Makes a change that is seen.</param>
internal sealed class Dependencies(ITaskTable table, Action<TaskRecord, TaskRecord> write)
{
    /// <summary>Who has ended and is still to be looked at: a line, since a chain of tasks may be of any length.</summary>
    private readonly Queue<TaskRecord> _ended = new();
    private bool _under;

    /// <summary>The place of the first task that does not exist of those after which one is to run; null where all do.</summary>
    public static int? FindMissing(NewTask task, Func<TaskId, bool> exists)
    {
        for (int i = 0; i < task.Spec.After.Count; i++)
        {
            if (!exists(new TaskId(task.Id.Namespace, task.Spec.After[i])))
                return i;
        }

        return null;
    }

    /// <summary>The tasks after which one is to run, as they are now.</summary>
    public TaskRecord[] ParentsOf(NewTask task) => [.. task.Spec.After.Select(id => table.Find(new TaskId(task.Id.Namespace, id))!)];

    /// <summary>How many tasks a newcomer waits for; one that cannot succeed waits for its end.</summary>
    public static int CountAwaited(TaskSpec spec, TaskRecord[] parents) =>
        FailedFor(spec, parents) is null ? parents.Count(static parent => !parent.State.IsFinal()) : parents.Length;

    /// <summary>A task was inserted that is to run after others. It is cancelled where one of them has failed already.</summary>
    public void Inserted(TaskRecord task, TaskRecord[] parents)
    {
        if (FailedFor(task.Spec, parents) is { } failed)
        {
            Cancel(task, failed, task.UpdatedAt);
            return;
        }

        foreach (TaskRecord parent in parents)
        {
            table.AddDependency(parent, task, waits: !parent.State.IsFinal());
            table.Write(parent, parent with { Dependants = parent.Dependants + 1 });
        }
    }

    /// <summary>A task has ended.</summary>
    public void Ended(TaskRecord task)
    {
        if (task.Dependants == 0 && task.Spec.After.Count == 0)
            return;
        _ended.Enqueue(task);
        if (_under)
            return;
        _under = true;
        while (_ended.TryDequeue(out TaskRecord? ended))
        {
            if (ended.Dependants > 0)
                TellWaiting(ended);
            if (ended.Spec.After.Count > 0)
                LetGo(ended);
        }

        _under = false;
    }

    private static TaskRecord? FailedFor(TaskSpec spec, TaskRecord[] parents) => spec.AfterPolicy == AfterPolicy.Cancel ? Array.Find(parents, HasFailed) : null;

    private static bool HasFailed(TaskRecord parent) => parent.State.IsFinal() && parent.State != TaskState.Succeeded;

    private void TellWaiting(TaskRecord ended)
    {
        foreach (TaskRecord waiting in table.TakeWaiting(ended))
        {
            // One that comes later may have been cancelled for one that came before.
            if (table.Find(waiting.Id) is not { State: TaskState.Scheduled } task)
                continue;
            if (HasFailed(ended) && task.Spec.AfterPolicy == AfterPolicy.Cancel)
                Cancel(task, ended, ended.UpdatedAt);
            else if (task.Awaits == 1 && task.RunAt <= ended.UpdatedAt)
                write(task, TaskTransitions.Follow(task, new Stamp(table.NextRevision(), ended.UpdatedAt)));
            else
                table.Write(task, task with { Awaits = task.Awaits - 1 });
        }
    }

    private void LetGo(TaskRecord ended)
    {
        foreach (TaskRecord kept in table.TakeParents(ended))
        {
            TaskRecord parent = table.Find(kept.Id)!;
            table.Write(parent, parent with { Dependants = parent.Dependants - 1 });
        }
    }

    private void Cancel(TaskRecord task, TaskRecord failed, DateTimeOffset now)
    {
        string reason = $"the task {failed.Id.Value}, after which it was to run, ended {failed.State.ToString().ToUpperInvariant()}";
        write(task, TaskTransitions.Cancel(task, new Cancellation(reason, "", now), new Stamp(table.NextRevision(), now)));
    }
}
