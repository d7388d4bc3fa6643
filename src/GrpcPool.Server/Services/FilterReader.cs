using GrpcPool.Core.Tasks;
using TaskFilter = GrpcPool.Core.Storage.TaskFilter;

namespace GrpcPool.Server.Services;

/// <summary>Reads a filter and checks its fields.</summary>
internal static class FilterReader
{
    public static TaskFilter Read(V1.TaskFilter? sent, string @namespace, string field = "filter")
    {
        if (sent is null)
            return new TaskFilter(@namespace);
        if (sent.ScheduleId.Length > 0)
            throw new PoolErrorException(new PoolError.NotHonoured($"{field}.schedule_id"));
        var checks = new FieldChecks();
        checks.Require(sent.States.All(static state => Enum.IsDefined((TaskState)state)), $"{field}.states", "must be states of the contract, other than UNSPECIFIED");
        foreach (string queue in sent.Queues)
            checks.Name(queue, $"{field}.queues");
        foreach (string kind in sent.Kinds)
            checks.Name(kind, $"{field}.kinds");
        foreach (string name in sent.Labels.Keys)
            checks.LabelName(name, $"{field}.labels");
        if (sent.ParentId.Length > 0)
            checks.Id(sent.ParentId, $"{field}.parent_id");
        var filter = new TaskFilter(@namespace)
        {
            States = [.. sent.States.Select(static state => (TaskState)state)],
            Queues = [.. sent.Queues],
            Kinds = [.. sent.Kinds],
            Labels = new Dictionary<string, string>(sent.Labels),
            SerialKey = sent.SerialKey,
            ParentId = sent.ParentId,
            SubmittedAfter = checks.Time(sent.SubmittedAfter, $"{field}.submitted_after"),
            SubmittedBefore = checks.Time(sent.SubmittedBefore, $"{field}.submitted_before"),
        };
        checks.ThrowIfAny();
        return filter;
    }

    /// <summary>A filter for something that changes tasks: an empty one is more likely a mistake than meant.</summary>
    public static TaskFilter ReadRestricting(V1.TaskFilter? sent, string @namespace)
    {
        TaskFilter filter = Read(sent, @namespace);
        var checks = new FieldChecks();
        checks.Require(!filter.IsEmpty, "filter", "must restrict something; name all states to mean every task");
        checks.ThrowIfAny();
        return filter;
    }
}
