using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Testing;

/// <summary>What holds for every commit of every store, whatever the commands: checked against all that came before.</summary>
/// <param name="revision">The newest revision.</param>
internal sealed class CommitRules(long revision)
{
    private static readonly Dictionary<TaskState, TaskState[]> Next = new()
    {
        [TaskState.Scheduled] = [TaskState.Queued, TaskState.Cancelled],
        [TaskState.Queued] = [TaskState.Running, TaskState.Expired, TaskState.Failed, TaskState.Cancelled],
        [TaskState.Running] = [TaskState.Running, TaskState.Queued, TaskState.Retrying, TaskState.Succeeded, TaskState.Failed, TaskState.Cancelled],
        [TaskState.Retrying] = [TaskState.Queued, TaskState.Failed, TaskState.Cancelled],
        [TaskState.Succeeded] = [],
        [TaskState.Failed] = [TaskState.Queued],
        [TaskState.Cancelled] = [TaskState.Queued],
        [TaskState.Expired] = [TaskState.Queued],
    };

    private static readonly TaskState[] First = [TaskState.Scheduled, TaskState.Queued, TaskState.Running];

    private readonly Dictionary<TaskId, (TaskState State, long Version, long Claim)> _tasks = [];
    private readonly HashSet<long> _claims = [];
    private long _revision = revision;

    public void Check(IReadOnlyList<TaskCommand> commands, CommitResult result)
    {
        Demand(result.Outcomes.Count == commands.Count, "one outcome per command");
        foreach (TaskChange change in result.Changes)
        {
            Demand(change.Revision > _revision, "revisions rise strictly");
            _revision = change.Revision;
            CheckState(change);
            if (change.Type == ChangeType.Changed)
                CheckNewest(change.Task, change.Revision);
            else
                _tasks.Remove(change.Task.Id);
        }

        Demand(result.Revision >= _revision, "the newest revision is that of the last change or later");
        _revision = result.Revision;
        foreach (TaskRecord task in result.Unblocked)
            Demand(_tasks[task.Id] == (TaskState.Queued, task.Version, 0L) && task.IsReady, "what is unblocked is ready when the commit is over");
    }

    private void CheckState(TaskChange change)
    {
        TaskState? before = _tasks.TryGetValue(change.Task.Id, out var known) ? known.State : null;
        Demand(change.Before == before, $"a change tells the state before: {before}, not {change.Before}");
        bool legal = change.Type == ChangeType.Changed
            ? (before is { } state ? Next[state] : First).Contains(change.Task.State)
            : before is { } end && end.IsFinal();
        Demand(legal, $"{before} becomes {change.Task.State} ({change.Type})");
    }

    private void CheckNewest(TaskRecord task, long revision)
    {
        long version = _tasks.TryGetValue(task.Id, out var known) ? known.Version + 1 : 1;
        Demand(task.Version == version, $"version {task.Version} follows {version - 1}");
        Demand(task.Revision == revision, "a task bears the revision of its change");
        Demand(task.State == TaskState.Running == task.Claim > 0, "a task has a claim while it runs");
        Demand(task.Claim == 0 || task.Claim == known.Claim || _claims.Add(task.Claim), "a claim is never given twice");
        _tasks[task.Id] = (task.State, task.Version, task.Claim);
    }

    private static void Demand(bool holds, string rule)
    {
        if (!holds)
            throw new InvalidOperationException($"Broken: {rule}.");
    }
}
