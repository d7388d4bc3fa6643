using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.Core.Schedules;
using GrpcPool.V1;
using OverlapPolicy = GrpcPool.V1.OverlapPolicy;

namespace GrpcPool.Server.Services;

/// <summary>From schedules to the contract's messages.</summary>
internal static class ScheduleMapping
{
    /// <param name="record">The schedule.</param>
    /// <param name="view">How much of what its tasks are given is shown, as of a task.</param>
    /// <param name="withPayload">Whether the payload is shown, if the view has it.</param>
    public static Schedule ToSchedule(ScheduleRecord record, TaskView view = TaskView.Full, bool withPayload = true)
    {
        ScheduleSpec spec = record.Spec;
        var schedule = new Schedule
        {
            Namespace = record.Id.Namespace,
            Id = record.Id.Value,
            Version = record.Version,
            Task = ToSpec(spec.Task, view == TaskView.Full, withPayload),
            StartAt = ToTimestamp(spec.StartAt),
            EndAt = ToTimestamp(spec.EndAt),
            MaxRuns = spec.MaxRuns,
            Jitter = spec.Jitter == TimeSpan.Zero ? null : Duration.FromTimeSpan(spec.Jitter),
            Overlap = (OverlapPolicy)spec.Overlap,
            CatchUp = (CatchUp)spec.CatchUp,
            Paused = record.Paused,
            NextRunAt = ToTimestamp(record.WakeAt),
            LastRunAt = ToTimestamp(record.LastRunAt),
            LastTaskId = record.LastTaskId,
            Runs = record.Runs,
            Skipped = record.Skipped,
            Missed = record.Missed,
            LastFailure = ToFailure(record.LastFailure),
            CreatedAt = ToTimestamp(record.CreatedAt),
            UpdatedAt = ToTimestamp(record.UpdatedAt),
            FromSettings = record.SettingsHash is not null,
        };
        switch (spec.Timetable)
        {
            case Timetable.Cron cron:
                schedule.Cron = new Cron { Expression = cron.Expression, TimeZone = cron.TimeZone };
                break;
            case Timetable.FixedRate rate:
                schedule.FixedRate = Duration.FromTimeSpan(rate.Period);
                break;
            case Timetable.FixedDelay delay:
                schedule.FixedDelay = Duration.FromTimeSpan(delay.Pause);
                break;
        }

        return schedule;
    }

    public static Timestamp? ToTimestamp(DateTimeOffset? time) => time is { } at ? Timestamp.FromDateTimeOffset(at) : null;

    private static TaskSpec ToSpec(Core.Tasks.TaskSpec task, bool full, bool withPayload)
    {
        var spec = new TaskSpec
        {
            Kind = task.Kind,
            Queue = task.Queue,
            Payload = full && withPayload ? UnsafeByteOperations.UnsafeWrap(task.Payload) : ByteString.Empty,
            ContentType = full ? task.ContentType : "",
            Priority = task.Priority,
            SerialKey = task.SerialKey,
            Slots = task.Slots,
            StartTimeout = ToDuration(task.StartTimeout),
            RunTimeout = ToDuration(task.RunTimeout),
            TotalTimeout = ToDuration(task.TotalTimeout),
            ParentId = task.ParentId,
            Group = task.Group,
            Retention = Duration.FromTimeSpan(task.Retention),
            Retry = new RetryPolicy
            {
                MaxAttempts = task.Retry.MaxAttempts,
                InitialBackoff = Duration.FromTimeSpan(task.Retry.InitialBackoff),
                BackoffMultiplier = task.Retry.BackoffMultiplier,
                MaxBackoff = Duration.FromTimeSpan(task.Retry.MaxBackoff),
                Jitter = task.Retry.Jitter,
                MaxLosses = task.Retry.MaxLosses,
            },
        };
        foreach ((string name, string value) in task.Labels)
            spec.Labels.Add(name, value);
        foreach ((string name, string value) in full ? task.Headers : Core.Tasks.TaskSpec.NoPairs)
            spec.Headers.Add(name, value);
        return spec;
    }

    private static V1.ScheduleFailure? ToFailure(Core.Schedules.ScheduleFailure? failure) =>
        failure is null ? null : new V1.ScheduleFailure { TaskId = failure.TaskId, Message = failure.Message, At = ToTimestamp(failure.At) };

    private static Duration? ToDuration(TimeSpan? span) => span is { } value ? Duration.FromTimeSpan(value) : null;
}
