using GrpcPool.Core.Schedules;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Hosting;

/// <summary>One schedule of the settings: when it is due, and what it submits. Exactly one of <see cref="Cron"/>, <see cref="FixedRate"/> and <see cref="FixedDelay"/> is set.</summary>
public sealed class ScheduleOptions
{
    /// <summary>A cron expression of 5 fields, or 6 with the seconds first; null (the default) for none.</summary>
    public string? Cron { get; set; }

    /// <summary>The time zone of <see cref="Cron"/>, a name of the IANA database. UTC by default.</summary>
    public string TimeZone { get; set; } = CronTimes.Utc;

    /// <summary>From start to start, 1 s – 3,650 days; null (the default) for none.</summary>
    public TimeSpan? FixedRate { get; set; }

    /// <summary>From the end of one run to the start of the next, 1 s – 3,650 days; null (the default) for none.</summary>
    public TimeSpan? FixedDelay { get; set; }

    /// <summary>No due time before it; null (the default) for no such bound.</summary>
    public DateTimeOffset? StartAt { get; set; }

    /// <summary>No due time after it; null (the default) for no such bound.</summary>
    public DateTimeOffset? EndAt { get; set; }

    /// <summary>After so many runs it ends, 1–1,000,000,000; null (the default) for no bound.</summary>
    public int? MaxRuns { get; set; }

    /// <summary>By how much a firing is put off at most, 0 s – 1 day. 0 s by default.</summary>
    public TimeSpan Jitter { get; set; }

    /// <summary>What becomes of a due time while a task of the schedule has not ended. Skip by default.</summary>
    public OverlapPolicy Overlap { get; set; } = OverlapPolicy.Skip;

    /// <summary>What becomes of due times that passed while nobody could fire them. Skip by default.</summary>
    public CatchUpPolicy CatchUp { get; set; } = CatchUpPolicy.Skip;

    /// <summary>The kind of its tasks.</summary>
    public string Kind { get; set; } = "";

    /// <summary>The queue of its tasks, <c>default</c> by default.</summary>
    public string Queue { get; set; } = GrpcPoolOptions.DefaultQueue;

    /// <summary>The payload of its tasks, empty by default.</summary>
    public string Payload { get; set; } = "";

    /// <summary>The media type of the payload, empty by default.</summary>
    public string ContentType { get; set; } = "";

    /// <summary>Higher starts first within a queue, -100–100. 0 by default.</summary>
    public int Priority { get; set; }

    /// <summary>Tasks of one key run one at a time; empty (the default) for none.</summary>
    public string SerialKey { get; set; } = "";

    /// <summary>The longest attempt, 1 ms – 30 days; null (the default) for no limit but the handler's.</summary>
    public TimeSpan? RunTimeout { get; set; }

    /// <summary>Attempts that may fail, 1–1,000; null (the default) for <c>Retry:MaxAttempts</c>.</summary>
    public int? MaxAttempts { get; set; }

    /// <summary>Names and values to find its tasks by, none by default.</summary>
    public Dictionary<string, string> Labels { get; } = new(StringComparer.Ordinal);

    internal ScheduleSpec ToSpec(GrpcPoolOptions options) => new()
    {
        Timetable = Cron is not null ? new Timetable.Cron(Cron, TimeZone) : FixedRate is { } rate ? new Timetable.FixedRate(rate) : new Timetable.FixedDelay(FixedDelay!.Value),
        StartAt = StartAt,
        EndAt = EndAt,
        MaxRuns = MaxRuns ?? 0,
        Jitter = Jitter,
        Overlap = Overlap,
        CatchUp = CatchUp,
        Task = new TaskSpec
        {
            Kind = Kind,
            Queue = Queue,
            Payload = System.Text.Encoding.UTF8.GetBytes(Payload),
            ContentType = ContentType,
            Priority = Priority,
            SerialKey = SerialKey,
            RunTimeout = RunTimeout,
            Labels = Labels.Count == 0 ? TaskSpec.NoPairs : Labels,
            Retry = MaxAttempts is { } attempts ? options.Retry with { MaxAttempts = attempts } : options.Retry,
            Retention = options.QueueOrDefault(Queue).Retention,
        },
    };
}
