using Google.Protobuf.WellKnownTypes;
using GrpcPool.Cli.Input;
using GrpcPool.V1;

namespace GrpcPool.Cli.Output;

/// <summary>Writes schedules in the format that was asked for.</summary>
internal static class ScheduleOutput
{
    private static readonly string[] Headings = ["ID", "WHEN", "KIND", "NEXT", "LAST", "RUNS", "SKIPPED", "MISSED", "REMARK"];

    public static void Write(OutputFormat format, IReadOnlyCollection<Schedule> schedules, bool heading = true) => Console.Out.Write(Draw(format, schedules, heading));

    public static string Draw(OutputFormat format, IReadOnlyCollection<Schedule> schedules, bool heading) => format switch
    {
        OutputFormat.Json => string.Concat(schedules.Select(static schedule => $"{TaskOutput.ToJson(schedule)}\n")),
        OutputFormat.Id => string.Concat(schedules.Select(static schedule => $"{schedule.Id}\n")),
        _ => Draw(schedules, heading),
    };

    /// <summary>All that is known of one.</summary>
    public static string Sheet(Schedule schedule)
    {
        var columns = new TextColumns();
        foreach ((string name, string value) in Fields(schedule).Where(static field => field.Value.Length > 0))
            columns.Add(new Cell(name, "grey"), Wording.Line(value));
        return columns.ToString();
    }

    private static string Draw(IReadOnlyCollection<Schedule> schedules, bool heading)
    {
        var columns = new TextColumns();
        if (heading)
            columns.Add([.. Headings.Select(static name => new Cell(name, "grey"))]);
        foreach (Schedule schedule in schedules)
        {
            columns.Add(
                schedule.Id, When(schedule), schedule.Task.Kind, Wording.Time(schedule.NextRunAt), Wording.Time(schedule.LastRunAt),
                $"{schedule.Runs}", $"{schedule.Skipped}", $"{schedule.Missed}", Wording.Line(Remark(schedule)));
        }

        return heading || schedules.Count > 0 ? columns.ToString() : "";
    }

    private static IEnumerable<(string Name, string Value)> Fields(Schedule schedule) =>
    [
        ("id", schedule.Id),
        ("namespace", schedule.Namespace == "default" ? "" : schedule.Namespace),
        ("version", $"{schedule.Version}{(schedule.FromSettings ? ", from the settings" : "")}"),
        ("when", When(schedule)),
        ("from", schedule.StartAt is null ? "" : Wording.Time(schedule.StartAt)),
        ("until", schedule.EndAt is null ? "" : Wording.Time(schedule.EndAt)),
        ("jitter", schedule.Jitter is null ? "" : $"{schedule.Jitter.ToTimeSpan():c}"),
        ("overlap", TimetableOptions.NameOf(schedule.Overlap)),
        ("catch up", TimetableOptions.NameOf(schedule.CatchUp)),
        ("paused", schedule.Paused ? "yes" : ""),
        ("next", Wording.Time(schedule.NextRunAt)),
        ("last", schedule.LastRunAt is null ? "" : $"{Wording.Time(schedule.LastRunAt)} {schedule.LastTaskId}"),
        ("runs", $"{schedule.Runs}{(schedule.MaxRuns > 0 ? $" of {schedule.MaxRuns}" : "")}, {schedule.Skipped} skipped, {schedule.Missed} missed"),
        ("last failure", schedule.LastFailure is { } failure ? $"{Wording.Time(failure.At)} {failure.TaskId} {failure.Message}" : ""),
        ("kind", schedule.Task.Kind),
        ("queue", schedule.Task.Queue),
        ("labels", string.Join(' ', schedule.Task.Labels.OrderBy(static pair => pair.Key, StringComparer.Ordinal).Select(static pair => $"{pair.Key}={pair.Value}"))),
        ("payload", schedule.Task.Payload.IsEmpty ? "" : StatusSheet.Show(schedule.Task.Payload, schedule.Task.ContentType)),
        ("created", Wording.Time(schedule.CreatedAt)),
        ("changed", schedule.UpdatedAt.Equals(schedule.CreatedAt) ? "" : Wording.Time(schedule.UpdatedAt)),
    ];

    private static string When(Schedule schedule) => schedule.TimetableCase switch
    {
        Schedule.TimetableOneofCase.Cron => $"{schedule.Cron.Expression} {schedule.Cron.TimeZone}",
        Schedule.TimetableOneofCase.FixedRate => $"every {Span(schedule.FixedRate)}",
        _ => $"{Span(schedule.FixedDelay)} after each end",
    };

    private static string Remark(Schedule schedule) => schedule.Paused ? "paused" : schedule.LastFailure?.Message ?? "";

    private static string Span(Duration span) => $"{span.ToTimeSpan():c}";
}
