using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.Core.Tasks;
using GrpcPool.V1;
using Cancellation = GrpcPool.Core.Tasks.Cancellation;
using Failure = GrpcPool.Core.Tasks.Failure;
using TaskView = GrpcPool.Core.Execution.TaskView;

namespace GrpcPool.Server.Services;

/// <summary>From the domain's records to the contract's messages.</summary>
internal static class ProtoMapping
{
    public static TaskInfo ToInfo(TaskView view, V1.TaskView detail)
    {
        TaskRecord task = view.Task;
        var info = new TaskInfo
        {
            Namespace = task.Id.Namespace,
            Id = task.Id.Value,
            Kind = task.Spec.Kind,
            Queue = task.Spec.Queue,
            State = (V1.TaskState)task.State,
            Version = task.Version,
            Revision = task.Revision,
            Priority = task.Spec.Priority,
            SerialKey = task.Spec.SerialKey,
            Slots = task.Spec.Slots,
            ParentId = task.Spec.ParentId,
            ScheduleId = task.Spec.ScheduleId,
            Group = task.Spec.Group,
            SubmittedBy = task.SubmittedBy,
            SubmittedAt = ToTimestamp(task.SubmittedAt),
            RunAt = ToTimestamp(task.RunAt),
            StartedAt = ToTimestamp(task.StartedAt),
            FinishedAt = ToTimestamp(task.FinishedAt),
            UpdatedAt = ToTimestamp(task.UpdatedAt),
            ExpiresAt = ToTimestamp(task.ExpiresAt),
            Attempt = task.Attempt,
            MaxAttempts = task.Spec.Retry.MaxAttempts,
            Losses = task.Losses,
            Progress = ToProgress(task.Progress),
            WaitingReason = (V1.WaitingReason)(view.WaitingReason ?? 0),
            Cancellation = ToCancellation(task.Cancellation),
            Worker = task.Worker,
            Failure = ToFailure(task.Failure),
        };
        Add(info.Labels, task.Spec.Labels);
        if (view.QueuePosition is { } position)
            info.QueuePosition = position;
        if (detail == V1.TaskView.Full)
            AddFull(info, task);
        return info;
    }

    /// <summary>As a worker gets it, with the headers of this attempt.</summary>
    public static TaskInfo ToAssigned(TaskView view, IReadOnlyDictionary<string, string> headers)
    {
        TaskInfo info = ToInfo(view, V1.TaskView.Full);
        if (!ReferenceEquals(headers, view.Task.Spec.Headers))
        {
            info.Headers.Clear();
            Add(info.Headers, headers);
        }

        return info;
    }

    /// <summary>Of a task that is gone: what it was called.</summary>
    public static TaskInfo ToName(TaskId id) => new() { Namespace = id.Namespace, Id = id.Value };

    private static void AddFull(TaskInfo info, TaskRecord task)
    {
        info.Payload = UnsafeByteOperations.UnsafeWrap(task.Spec.Payload);
        info.ContentType = task.Spec.ContentType;
        info.Result = UnsafeByteOperations.UnsafeWrap(task.Result);
        info.ResultContentType = task.ResultContentType;
        Add(info.Headers, task.Spec.Headers);
        info.Attempts.AddRange(task.Attempts.Select(ToAttempt));
        if (task.State == Core.Tasks.TaskState.Running)
            info.Attempts.Add(new Attempt { Number = task.Attempt, StartedAt = ToTimestamp(task.StartedAt), Worker = task.Worker });
    }

    private static Attempt ToAttempt(AttemptRecord attempt) => new()
    {
        Number = attempt.Number,
        StartedAt = ToTimestamp(attempt.StartedAt),
        FinishedAt = ToTimestamp(attempt.FinishedAt),
        Worker = attempt.Worker,
        Failure = ToFailure(attempt.Failure),
    };

    private static Progress? ToProgress(TaskProgress? progress) =>
        progress is null ? null : new Progress { Fraction = progress.Fraction, Message = progress.Message, UpdatedAt = ToTimestamp(progress.UpdatedAt) };

    private static V1.Cancellation? ToCancellation(Cancellation? cancellation) =>
        cancellation is null ? null : new V1.Cancellation { Reason = cancellation.Reason, By = cancellation.By, At = ToTimestamp(cancellation.At) };

    private static V1.Failure? ToFailure(Failure? failure) => failure is null ? null : new V1.Failure
    {
        Code = (V1.FailureCode)failure.Code,
        Message = failure.Message,
        Detail = failure.Detail,
        Retryable = failure.Retryable,
    };

    private static Timestamp? ToTimestamp(DateTimeOffset? time) => time is { } at ? Timestamp.FromDateTimeOffset(at) : null;

    private static void Add(Google.Protobuf.Collections.MapField<string, string> map, IReadOnlyDictionary<string, string> pairs)
    {
        foreach ((string name, string value) in pairs)
            map.Add(name, value);
    }
}
