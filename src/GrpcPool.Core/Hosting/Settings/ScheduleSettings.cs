using System.Text;
using GrpcPool.Core.Schedules;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>The settings of one schedule.</summary>
internal static class ScheduleSettings
{
    private const string Section = "Schedules";
    private const int TextBytesMax = 256;
    private static readonly TimeSpan PeriodMax = TimeSpan.FromDays(3650);

    public static SettingsTable<ScheduleOptions> Table { get; } = new()
    {
        {
            "Cron", OptionalText("a cron expression of 5 fields, or 6 with the seconds first", CronTimes.IsExpression), o => o.Cron, (o, v) => o.Cron = v,
            "When it is due. Exactly one of Cron, FixedRate and FixedDelay is given."
        },
        {
            "TimeZone", Text("a name of the IANA database of time zones that this machine has, such as Europe/Berlin", CronTimes.IsZone), o => o.TimeZone, (o, v) => o.TimeZone = v,
            "The time zone of Cron."
        },
        { "FixedRate", Optional(Span(TimeSpan.FromSeconds(1), PeriodMax)), o => o.FixedRate, (o, v) => o.FixedRate = v, "From start to start." },
        { "FixedDelay", Optional(Span(TimeSpan.FromSeconds(1), PeriodMax)), o => o.FixedDelay, (o, v) => o.FixedDelay = v, "From the end of one run to the start of the next." },
        { "StartAt", Optional(Time), o => o.StartAt, (o, v) => o.StartAt = v, "No due time before it." },
        { "EndAt", Optional(Time), o => o.EndAt, (o, v) => o.EndAt = v, "No due time after it." },
        { "MaxRuns", Optional(Whole(1, 1_000_000_000)), o => o.MaxRuns, (o, v) => o.MaxRuns = v, "After so many runs it ends." },
        { "Jitter", Span(TimeSpan.Zero, TimeSpan.FromDays(1)), o => o.Jitter, (o, v) => o.Jitter = v, "By how much a firing is put off at most." },
        { "Overlap", OneOf<OverlapPolicy>(), o => o.Overlap, (o, v) => o.Overlap = v, "What becomes of a due time while a task of the schedule has not ended." },
        { "CatchUp", OneOf<CatchUpPolicy>(), o => o.CatchUp, (o, v) => o.CatchUp = v, "What becomes of due times that passed while nobody could fire them." },
        { "Kind", Text(PoolName.Rule, PoolName.IsValid), o => o.Kind, (o, v) => o.Kind = v, "The kind of its tasks." },
        { "Queue", Text(PoolName.Rule, PoolName.IsValid), o => o.Queue, (o, v) => o.Queue = v, "The queue of its tasks." },
        { "Payload", Text("a text of at most Limits:PayloadBytesMax bytes", _ => true), o => o.Payload, (o, v) => o.Payload = v, "The payload of its tasks." },
        { "ContentType", Text("a media type of at most 256 bytes", IsShort), o => o.ContentType, (o, v) => o.ContentType = v, "The media type of the payload." },
        { "Priority", Whole(-100, 100), o => o.Priority, (o, v) => o.Priority = v, "Higher starts first within a queue." },
        { "SerialKey", Text("a text of at most 256 bytes", IsShort), o => o.SerialKey, (o, v) => o.SerialKey = v, "Tasks of one key run one at a time." },
        { "RunTimeout", Optional(HandlerSettings.RunTimeout), o => o.RunTimeout, (o, v) => o.RunTimeout = v, "The longest attempt." },
        { "MaxAttempts", Optional(Whole(1, 1_000)), o => o.MaxAttempts, (o, v) => o.MaxAttempts = v, "Attempts that may fail.", "Retry:MaxAttempts" },
        new VariablesSetting<ScheduleOptions>("Labels", o => o.Labels, "Names and values to find its tasks by."),
        CheckTimes,
        CheckLabels,
    };

    /// <summary>Checks what concerns all schedules together.</summary>
    public static void CheckAll(GrpcPoolOptions options, string path, Violations violations)
    {
        if (options.Schedules.Count > options.Limits.Schedules)
        {
            violations.Across(
                [Section, "Limits:Schedules"], $"names {options.Schedules.Count} schedules, more than Limits:Schedules ({options.Limits.Schedules}); raise that or name fewer.");
        }

        foreach ((string id, ScheduleOptions schedule) in options.Schedules)
        {
            if (Encoding.UTF8.GetByteCount(schedule.Payload) > options.Limits.PayloadBytesMax)
                violations.Across([$"{Section}:{id}:Payload", "Limits:PayloadBytesMax"], $"is larger than Limits:PayloadBytesMax ({options.Limits.PayloadBytesMax}); shorten it, or raise that.");
        }
    }

    private static void CheckTimes(ScheduleOptions options, string path, Violations violations)
    {
        int timetables = (options.Cron is null ? 0 : 1) + (options.FixedRate is null ? 0 : 1) + (options.FixedDelay is null ? 0 : 1);
        if (timetables != 1)
            violations.Across([$"{path}:Cron", $"{path}:FixedRate", $"{path}:FixedDelay"], timetables == 0 ? "is missing; give it, FixedRate or FixedDelay." : "is not the only timetable; give one of Cron, FixedRate and FixedDelay.");
        if (options.EndAt < options.StartAt)
            violations.Across([$"{path}:EndAt", $"{path}:StartAt"], "is before StartAt; give a later time.");
    }

    private static void CheckLabels(ScheduleOptions options, string path, Violations violations)
    {
        foreach ((string name, string value) in options.Labels)
        {
            if (!IsLabel(name) || !IsShort(value))
                violations.Add($"{path}:Labels:{name}", "is no label; give a name of 1 to 64 characters of [a-z0-9_] and a text of at most 256 bytes.");
        }
    }

    private static bool IsLabel(string name) => name.Length is > 0 and <= 64 && name.All(static c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_');

    private static bool IsShort(string text) => Encoding.UTF8.GetByteCount(text) <= TextBytesMax && !text.Contains('\0', StringComparison.Ordinal);
}
