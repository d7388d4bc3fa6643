using System.Text;
using Google.Protobuf;
using Google.Protobuf.Collections;
using GrpcPool.V1;

namespace GrpcPool.Cli.Output;

/// <summary>All that is known of one task, a line for each.</summary>
internal static class StatusSheet
{
    private const int TextBytesMax = 4096;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static string Draw(TaskInfo task)
    {
        var columns = new TextColumns();
        foreach ((string name, string value) in Fields(task).Where(static field => field.Value.Length > 0))
            AddLines(columns, name, value, name == "state" ? Drawing.MarkOf(task.State).Colour : null);
        return columns.ToString();
    }

    private static IEnumerable<(string Name, string Value)> Fields(TaskInfo task) =>
    [
        ("id", task.Id),
        ("namespace", task.Namespace == "default" ? "" : task.Namespace),
        ("kind", task.Kind),
        ("queue", task.HasQueuePosition ? $"{task.Queue}, place {task.QueuePosition}" : task.Queue),
        ("state", Wording.Of(task.State)),
        ("waits for", task.WaitingReason == WaitingReason.Unspecified ? "" : task.WaitingReason.ToString()),
        ("attempt", $"{task.Attempt} of {task.MaxAttempts}{(task.Losses > 0 ? $", {task.Losses} lost" : "")}"),
        ("progress", task.Progress is { } progress ? $"{Wording.Percent(progress.Fraction)} {progress.Message}" : ""),
        ("priority", task.Priority == 0 ? "" : $"{task.Priority}"),
        ("serial key", task.SerialKey),
        ("slots", task.Slots == 1 ? "" : $"{task.Slots}"),
        ("labels", Join(task.Labels)),
        ("headers", Join(task.Headers)),
        ("parent", task.ParentId),
        ("schedule", task.ScheduleId),
        ("group", task.Group),
        ("submitted", Wording.Time(task.SubmittedAt)),
        ("due", Wording.Time(task.RunAt)),
        ("started", task.StartedAt is null ? "" : Wording.Time(task.StartedAt)),
        ("finished", task.FinishedAt is null ? "" : $"{Wording.Time(task.FinishedAt)}, took {Wording.Duration(task)}"),
        ("kept until", task.ExpiresAt is null ? "" : Wording.Time(task.ExpiresAt)),
        ("worker", task.Worker),
        ("cancellation", task.Cancellation is { } cancellation ? $"{Wording.Time(cancellation.At)} {cancellation.Reason}" : ""),
        .. Attempts(task),
        ("failure", task.Failure is { } failure ? $"{failure.Code}: {failure.Message}\n{failure.Detail}" : ""),
        ("payload", Show(task.Payload, task.ContentType)),
        ("result", Show(task.Result, task.ResultContentType)),
    ];

    private static IEnumerable<(string Name, string Value)> Attempts(TaskInfo task) => task.Attempts
        .Where(static attempt => attempt.Failure is not null)
        .Select(static attempt => ($"attempt {attempt.Number}", $"{Wording.Time(attempt.FinishedAt)} {attempt.Failure.Code}: {attempt.Failure.Message}"));

    private static void AddLines(TextColumns columns, string name, string value, string? colour)
    {
        foreach (string line in value.TrimEnd('\n', '\r', ' ').Split('\n'))
        {
            columns.Add(new Cell(name, "grey"), new Cell(Wording.Line(line), colour));
            name = "";
        }
    }

    private static string Join(MapField<string, string> pairs) =>
        string.Join(' ', pairs.OrderBy(static pair => pair.Key, StringComparer.Ordinal).Select(static pair => $"{pair.Key}={pair.Value}"));

    public static string Show(ByteString bytes, string contentType)
    {
        string type = contentType.Length == 0 ? "" : $" of {contentType}";
        return bytes.IsEmpty ? "" : ReadText(bytes) ?? $"{Wording.Count(bytes.Length, "byte")}{type}";
    }

    /// <summary>The bytes as text; null where they are none, or too many to show.</summary>
    private static string? ReadText(ByteString bytes)
    {
        try
        {
            string? text = bytes.Length <= TextBytesMax ? Strict.GetString(bytes.Span) : null;
            return text is not null && !text.Any(static c => char.IsControl(c) && c is not ('\n' or '\r' or '\t')) ? text : null;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
