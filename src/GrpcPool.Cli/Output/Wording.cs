using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.V1;

namespace GrpcPool.Cli.Output;

/// <summary>How tasks are spoken of.</summary>
internal static class Wording
{
    public static string Of(TaskState state) => state.ToString().ToUpperInvariant();

    /// <summary>A state as it is written on the command line.</summary>
    public static string NameOf(TaskState state) => state.ToString().ToLowerInvariant();

    public static string Count(long number, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{number:N0} {noun}{(number == 1 ? "" : "s")}");

    public static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s");

    /// <summary>How long a task took from its first start, where that is known, to its end; a dash when it never started.</summary>
    public static string Duration(TaskInfo info)
    {
        Timestamp? started = info.Attempts.FirstOrDefault()?.StartedAt ?? info.StartedAt;
        return started is null || info.FinishedAt is null ? "-" : Seconds((info.FinishedAt - started).ToTimeSpan());
    }

    /// <summary>A point in time, in this machine's zone.</summary>
    public static string Time(Timestamp? time) =>
        time is null ? "-" : TimeZoneInfo.ConvertTime(time.ToDateTimeOffset(), TimeProvider.System.LocalTimeZone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>Text from elsewhere as one harmless line: it must not steer the terminal.</summary>
    public static string Line(string text) => string.Concat(text.Select(static c => char.IsControl(c) ? ' ' : c)).TrimEnd();

    public static string Percent(double fraction) => string.Create(CultureInfo.InvariantCulture, $"{Math.Clamp(fraction, 0, 1) * 100:0} %");

    public static string Cut(string text, int width) => text.Length <= width ? text : text[..(width - 1)] + "…";

    /// <summary>The same as one harmless line, with what is done of a task that runs.</summary>
    public static string RemarkWithProgress(TaskInfo info)
    {
        string percent = info is { State: TaskState.Running, Progress: { } progress } ? $"{Percent(progress.Fraction)} " : "";
        return Line(percent + Remark(info));
    }

    /// <summary>What there is to say about a task in its state.</summary>
    public static string Remark(TaskInfo info) => info.State switch
    {
        TaskState.Running when info.Cancellation is { } cancellation => cancellation.Reason is "" ? "told to stop" : $"told to stop: {cancellation.Reason}",
        TaskState.Running when info.Attempt > 1 && info.Progress is null => $"attempt {info.Attempt} of {info.MaxAttempts}",
        TaskState.Running => info.Progress?.Message ?? "",
        TaskState.Retrying => $"attempt {info.Attempt} of {info.MaxAttempts} failed: {info.Failure?.Message}",
        TaskState.Failed => $"{info.Failure?.Message}{(info.Attempt > 1 ? $" ({Count(info.Attempt, "attempt")})" : "")}",
        TaskState.Cancelled => info.Cancellation?.Reason ?? "",
        TaskState.Expired => "not started in time",
        TaskState.Scheduled when info.WaitingReason == WaitingReason.After => "waits for other tasks",
        TaskState.Scheduled => "not due yet",

        // Other reasons change without news of the task, so that what was told may no longer be so.
        TaskState.Queued when info.WaitingReason == WaitingReason.SerialKeyBusy => $"in line for {info.SerialKey}",
        TaskState.Succeeded when info.Attempt > 1 => $"after {Count(info.Attempt, "attempt")}",
        _ => "",
    };
}
