using Google.Protobuf.WellKnownTypes;
using GrpcPool.V1;

namespace GrpcPool.Client.Testing;

/// <summary>A task of the pool in memory.</summary>
internal sealed class InMemoryTask(TaskSpec spec, TimeProvider time)
{
    public TaskSpec Spec { get; } = spec;

    /// <summary>As it is now; what goes out is a copy.</summary>
    public TaskInfo Info { get; } = InfoOf(spec, 0, time.GetUtcNow());

    /// <summary>The attempt that runs, if a handler runs it.</summary>
    public TestWorkContext? Context { get; set; }

    public TaskCompletionSource<TaskInfo> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskInfo View(TaskView view)
    {
        TaskInfo info = Info.Clone();
        if (view == TaskView.Full)
            return info;
        info.Payload = info.Result = Google.Protobuf.ByteString.Empty;
        info.ContentType = info.ResultContentType = "";
        info.Headers.Clear();
        return info;
    }

    public bool Matches(TaskFilter filter, bool withState) =>
        (!withState || filter.States.Count == 0 || filter.States.Contains(Info.State))
        && (filter.Queues.Count == 0 || filter.Queues.Contains(Info.Queue))
        && (filter.Kinds.Count == 0 || filter.Kinds.Contains(Info.Kind))
        && (filter.SerialKey.Length == 0 || filter.SerialKey == Info.SerialKey)
        && (filter.ParentId.Length == 0 || filter.ParentId == Info.ParentId)
        && (filter.Group.Length == 0 || filter.Group == Info.Group)
        && filter.Labels.All(label => Info.Labels.TryGetValue(label.Key, out string? value) && value == label.Value);

    public static TaskInfo InfoOf(TaskSpec spec, int attempt, DateTimeOffset now = default)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var at = Timestamp.FromDateTimeOffset(now);
        return new TaskInfo
        {
            Namespace = "default",
            Id = spec.Id,
            Kind = spec.Kind,
            Queue = spec.Queue.Length > 0 ? spec.Queue : "default",
            State = attempt > 0 ? TaskState.Running : TaskState.Queued,
            Priority = spec.Priority,
            SerialKey = spec.SerialKey,
            Slots = spec.HasSlots ? spec.Slots : 1,
            Labels = { spec.Labels },
            ParentId = spec.ParentId,
            Group = spec.Group,
            SubmittedAt = at,
            RunAt = at,
            UpdatedAt = at,
            Attempt = attempt,
            MaxAttempts = spec.Retry is { HasMaxAttempts: true } retry ? retry.MaxAttempts : 1,
            Payload = spec.Payload,
            ContentType = spec.ContentType,
            Headers = { spec.Headers },
        };
    }
}
