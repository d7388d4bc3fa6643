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
    private const int NanosecondsPerTick = (int)TimeSpan.NanosecondsPerTick;

    public static TaskInfo ToInfo(TaskView view, V1.TaskView detail)
    {
        var info = new TaskInfo();
        Fill(info, view);
        if (detail == V1.TaskView.Full)
            AddFull(info, view.Task, view.Task.Spec.Headers);
        return info;
    }

    /// <summary>Sets everything that the basic view has of a task, whatever was there.</summary>
    public static void Fill(TaskInfo info, TaskView view)
    {
        TaskRecord task = view.Task;
        info.Namespace = task.Id.Namespace;
        info.Id = task.Id.Value;
        info.Kind = task.Spec.Kind;
        info.Queue = task.Spec.Queue;
        info.State = (V1.TaskState)task.State;
        info.Version = task.Version;
        info.Revision = task.Revision;
        info.Priority = task.Spec.Priority;
        info.SerialKey = task.Spec.SerialKey;
        info.Slots = task.Spec.Slots;
        info.ParentId = task.Spec.ParentId;
        info.ScheduleId = task.Spec.ScheduleId;
        info.Group = task.Spec.Group;
        info.SubmittedBy = task.SubmittedBy;
        info.SubmittedAt = ToTimestamp(task.SubmittedAt, info.SubmittedAt);
        info.RunAt = ToTimestamp(task.RunAt, info.RunAt);
        info.StartedAt = ToTimestamp(task.StartedAt, info.StartedAt);
        info.FinishedAt = ToTimestamp(task.FinishedAt, info.FinishedAt);
        info.UpdatedAt = ToTimestamp(task.UpdatedAt, info.UpdatedAt);
        info.ExpiresAt = ToTimestamp(task.ExpiresAt, info.ExpiresAt);
        info.Attempt = task.Attempt;
        info.MaxAttempts = task.Spec.Retry.MaxAttempts;
        info.Losses = task.Losses;
        info.Progress = ToProgress(task.Progress);
        info.WaitingReason = (V1.WaitingReason)(view.WaitingReason ?? 0);
        info.Cancellation = ToCancellation(task.Cancellation);
        info.Worker = task.Worker;
        info.Failure = ToFailure(task.Failure);
        info.Labels.Clear();
        Add(info.Labels, task.Spec.Labels);
        info.ClearQueuePosition();
        if (view.QueuePosition is { } position)
            info.QueuePosition = position;
    }

    /// <summary>Sets everything that a worker gets of a task, with the headers of this attempt, whatever was there.</summary>
    public static void FillAssigned(TaskInfo info, TaskView view, IReadOnlyDictionary<string, string> headers)
    {
        Fill(info, view);
        info.Headers.Clear();
        info.Attempts.Clear();
        AddFull(info, view.Task, headers);
    }

    /// <summary>Of a task that is gone: what it was called.</summary>
    public static TaskInfo ToName(TaskId id) => new() { Namespace = id.Namespace, Id = id.Value };

    private static void AddFull(TaskInfo info, TaskRecord task, IReadOnlyDictionary<string, string> headers)
    {
        info.Payload = UnsafeByteOperations.UnsafeWrap(task.Spec.Payload);
        info.ContentType = task.Spec.ContentType;
        info.Result = UnsafeByteOperations.UnsafeWrap(task.Result);
        info.ResultContentType = task.ResultContentType;
        Add(info.Headers, headers);
        foreach (AttemptRecord attempt in task.Attempts)
            info.Attempts.Add(ToAttempt(attempt));
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

    private static Timestamp? ToTimestamp(DateTimeOffset? time, Timestamp? used = null)
    {
        if (time is not { } at)
            return null;
        (long seconds, long ticks) = Math.DivRem(at.UtcTicks - DateTimeOffset.UnixEpoch.Ticks, TimeSpan.TicksPerSecond);
        used ??= new Timestamp();
        (used.Seconds, used.Nanos) = (seconds, (int)ticks * NanosecondsPerTick);
        return used;
    }

    private static void Add(Google.Protobuf.Collections.MapField<string, string> map, IReadOnlyDictionary<string, string> pairs)
    {
        foreach ((string name, string value) in pairs)
            map.Add(name, value);
    }
}
