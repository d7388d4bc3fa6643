using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Watching;

/// <summary>The newest of each task that is watched; of too many, those at work and the latest stay. Thread-safe.</summary>
internal sealed class WatchBoard
{
    private const int TasksMax = 10_000;

    private readonly Dictionary<string, TaskInfo> _tasks = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    public TaskInfo? Last { get; private set; }

    public void Take(TaskEvent told)
    {
        lock (_lock)
        {
            if (told.Restarted)
                _tasks.Clear();
            if (told.Task is not { } task)
                return;
            Last = task;
            if (told.Type == WatchEventType.Deleted)
                _tasks.Remove(task.Id);
            else
                _tasks[task.Id] = task;
            if (_tasks.Count > TasksMax)
                Thin();
        }
    }

    /// <summary>All tasks, those at work first and then the latest.</summary>
    public TaskInfo[] Read()
    {
        lock (_lock)
        {
            return [.. Ordered];
        }
    }

    private IOrderedEnumerable<TaskInfo> Ordered => _tasks.Values.OrderBy(Drawing.Rank).ThenByDescending(static task => task.UpdatedAt);

    private void Thin()
    {
        foreach (TaskInfo task in Ordered.Skip(TasksMax / 2).ToArray())
            _tasks.Remove(task.Id);
    }
}
