using Google.Protobuf;
using GrpcPool.V1;

namespace GrpcPool.Cli.Output;

/// <summary>Writes tasks in the format that was asked for.</summary>
internal static class TaskOutput
{
    public static void Write(OutputFormat format, params IReadOnlyCollection<TaskInfo> tasks) => Write(format, tasks, heading: true);

    public static void Write(OutputFormat format, IReadOnlyCollection<TaskInfo> tasks, bool heading) => Console.Out.Write(format switch
    {
        OutputFormat.Json => string.Concat(tasks.Select(static task => $"{ToJson(task)}\n")),
        OutputFormat.Id => string.Concat(tasks.Select(static task => $"{task.Id}\n")),
        _ => Draw(tasks, heading),
    });

    /// <summary>A message of the contract as one line.</summary>
    public static string ToJson(IMessage message) => JsonFormatter.Default.Format(message);

    private static string Draw(IReadOnlyCollection<TaskInfo> tasks, bool heading)
    {
        var columns = new TextColumns();
        if (heading)
            columns.Add([.. ((string[])["ID", "KIND", "QUEUE", "STATE", "SUBMITTED", "TOOK", "REMARK"]).Select(static name => new Cell(name, "grey"))]);
        foreach (TaskInfo task in tasks)
        {
            var state = new Cell(Wording.Of(task.State), Drawing.MarkOf(task.State).Colour);
            columns.Add(task.Id, task.Kind, task.Queue, state, Wording.Time(task.SubmittedAt), Wording.Duration(task), Wording.RemarkWithProgress(task));
        }

        return heading || tasks.Count > 0 ? columns.ToString() : "";
    }
}
