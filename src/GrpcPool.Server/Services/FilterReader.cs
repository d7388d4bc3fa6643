using Google.Protobuf.Collections;
using Grpc.Core;
using GrpcPool.Core.Tasks;
using TaskFilter = GrpcPool.Core.Storage.TaskFilter;

namespace GrpcPool.Server.Services;

/// <summary>Reads a filter and checks its fields.</summary>
internal static class FilterReader
{
    /// <summary>How many states, queues or kinds: a filter is kept as long as its watch.</summary>
    private const int ChoicesMax = 100;

    /// <summary>What is asked for of what the call may know of.</summary>
    public static TaskFilter Read(V1.TaskFilter? sent, ServerCallContext context) => Confine(Read(sent, Caller.Namespace(context)), context);

    /// <summary>A filter for something that changes tasks: an empty one is more likely a mistake than meant.</summary>
    public static TaskFilter ReadRestricting(V1.TaskFilter? sent, ServerCallContext context)
    {
        TaskFilter filter = Read(sent, Caller.Namespace(context));
        var checks = new FieldChecks();
        checks.Require(!filter.IsEmpty, "filter", "must restrict something; name all states to mean every task");
        checks.ThrowIfAny();
        return Confine(filter, context);
    }

    private static TaskFilter Read(V1.TaskFilter? sent, string @namespace)
    {
        if (sent is null)
            return new TaskFilter(@namespace);
        var checks = new FieldChecks();
        checks.Require(sent.States.All(static state => Enum.IsDefined((TaskState)state)), "filter.states", "must be states of the contract, other than UNSPECIFIED");
        CheckCount(sent.States.Count, "filter.states", checks);
        CheckNames(sent.Queues, "filter.queues", checks);
        CheckNames(sent.Kinds, "filter.kinds", checks);
        checks.Labels(sent.Labels, "filter.labels");
        checks.Bytes(sent.SerialKey, SpecReader.TextBytesMax, "filter.serial_key");
        checks.Bytes(sent.Group, SpecReader.TextBytesMax, "filter.group");
        if (sent.ParentId.Length > 0)
            checks.Id(sent.ParentId, "filter.parent_id");
        if (sent.ScheduleId.Length > 0)
            checks.Id(sent.ScheduleId, "filter.schedule_id");
        var filter = new TaskFilter(@namespace)
        {
            States = [.. sent.States.Select(static state => (TaskState)state)],
            Queues = [.. sent.Queues],
            Kinds = [.. sent.Kinds],
            Labels = new Dictionary<string, string>(sent.Labels),
            SerialKey = sent.SerialKey,
            ParentId = sent.ParentId,
            ScheduleId = sent.ScheduleId,
            Group = sent.Group,
            SubmittedAfter = checks.Time(sent.SubmittedAfter, "filter.submitted_after"),
            SubmittedBefore = checks.Time(sent.SubmittedBefore, "filter.submitted_before"),
        };
        checks.ThrowIfAny();
        return filter;
    }

    private static void CheckNames(RepeatedField<string> names, string field, FieldChecks checks)
    {
        CheckCount(names.Count, field, checks);
        foreach (string name in names)
            checks.Name(name, field);
    }

    private static void CheckCount(int count, string field, FieldChecks checks) => checks.Require(count <= ChoicesMax, field, $"must be at most {ChoicesMax}");

    private static TaskFilter Confine(TaskFilter filter, ServerCallContext context) => Caller.Scope(context) is { } scope ? scope.Confine(filter) : filter;
}
