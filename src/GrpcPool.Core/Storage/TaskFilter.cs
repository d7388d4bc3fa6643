using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage;

/// <summary>Which tasks of a namespace; what is empty does not restrict.</summary>
internal sealed record TaskFilter(string Namespace)
{
    public IReadOnlyCollection<TaskState> States { get; init; } = [];

    public IReadOnlyCollection<string> Queues { get; init; } = [];

    public IReadOnlyCollection<string> Kinds { get; init; } = [];

    public IReadOnlyDictionary<string, string> Labels { get; init; } = TaskSpec.NoPairs;

    public string SerialKey { get; init; } = "";

    public string ParentId { get; init; } = "";

    public string ScheduleId { get; init; } = "";

    public string Group { get; init; } = "";

    public DateTimeOffset? SubmittedAfter { get; init; }

    public DateTimeOffset? SubmittedBefore { get; init; }

    /// <summary>Whether nothing but states, queues and kinds restricts, by which tasks are counted anyway.</summary>
    public bool IsCounted =>
        Labels.Count == 0 && SerialKey.Length == 0 && ParentId.Length == 0 && ScheduleId.Length == 0 && Group.Length == 0
        && SubmittedAfter is null && SubmittedBefore is null;

    public bool IsEmpty => IsCounted && States.Count == 0 && Queues.Count == 0 && Kinds.Count == 0;

    public bool Matches(TaskRecord task) => MatchesState(task.State) && MatchesApartFromState(task);

    public bool MatchesState(TaskState state) => States.Count == 0 || States.Contains(state);

    public bool MatchesLane(Lane lane) =>
        lane.Namespace == Namespace && (Queues.Count == 0 || Queues.Contains(lane.Queue)) && (Kinds.Count == 0 || Kinds.Contains(lane.Kind));

    /// <summary>What of a task never changes: the same answer at each of its versions.</summary>
    public bool MatchesApartFromState(TaskRecord task) =>
        MatchesLane(Lane.Of(task))
        && (SerialKey.Length == 0 || SerialKey == task.Spec.SerialKey)
        && (ParentId.Length == 0 || ParentId == task.Spec.ParentId)
        && (ScheduleId.Length == 0 || ScheduleId == task.Spec.ScheduleId)
        && (Group.Length == 0 || Group == task.Spec.Group)
        && (SubmittedAfter is null || task.SubmittedAt >= SubmittedAfter)
        && (SubmittedBefore is null || task.SubmittedAt < SubmittedBefore)
        && HasLabels(task.Spec.Labels);

    private bool HasLabels(IReadOnlyDictionary<string, string> labels)
    {
        foreach ((string name, string value) in Labels)
        {
            if (!labels.TryGetValue(name, out string? actual) || actual != value)
                return false;
        }

        return true;
    }
}
