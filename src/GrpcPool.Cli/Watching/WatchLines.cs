using System.Globalization;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Watching;

/// <summary>Shows news of tasks as lines, one for each.</summary>
internal static class WatchLines
{
    /// <returns>The last task of which there was news.</returns>
    public static async Task<TaskInfo?> ShowAsync(OutputFormat format, IAsyncEnumerable<TaskEvent> feed)
    {
        TaskInfo? last = null;
        await foreach (TaskEvent told in feed.ConfigureAwait(false))
        {
            last = told.Task ?? last;
            if (format == OutputFormat.Json)
                Console.Out.WriteLine(TaskOutput.ToJson(new WatchEvent { Type = told.Type, Task = told.Task }));
            else if (told.Task is { } task)
                Console.Out.WriteLine(format == OutputFormat.Id ? task.Id : Describe(told.Type, task));
        }

        return last;
    }

    private static string Describe(WatchEventType type, TaskInfo task)
    {
        string state = type == WatchEventType.Deleted ? "DELETED" : Wording.Of(task.State);
        string now = TimeProvider.System.GetLocalNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        return $"{now}  {state,-9}  {task.Id}  {task.Kind}  {task.Queue}  {Wording.RemarkWithProgress(task)}".TrimEnd();
    }
}
