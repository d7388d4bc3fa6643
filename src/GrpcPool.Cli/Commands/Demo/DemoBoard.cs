using GrpcPool.V1;

namespace GrpcPool.Cli.Commands.Demo;

/// <summary>What the demo knows of its tasks so far. Not thread-safe: whoever follows the watch also shows the board.</summary>
internal sealed class DemoBoard(IReadOnlyList<DemoTask> tasks)
{
    private readonly Dictionary<string, TaskInfo> _infos = new(StringComparer.Ordinal);
    private readonly List<BoardChange> _changes = [];
    private readonly long _started = TimeProvider.System.GetTimestamp();

    public IReadOnlyList<DemoTask> Tasks { get; } = tasks;

    /// <summary>The newest of each task that is known.</summary>
    public IReadOnlyCollection<TaskInfo> Infos => _infos.Values;

    /// <summary>Every change of a task's state that was seen, in order.</summary>
    public IReadOnlyList<BoardChange> Changes => _changes;

    public TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(_started);

    public bool IsDone => _infos.Count == Tasks.Count && _infos.Values.All(IsFinal);

    public static bool IsFinal(TaskInfo info) => info.State is TaskState.Succeeded or TaskState.Failed or TaskState.Cancelled or TaskState.Expired;

    /// <summary>Takes news of a task.</summary>
    public void Take(TaskInfo info)
    {
        bool isChange = !_infos.TryGetValue(info.Id, out TaskInfo? known) || known.State != info.State || known.Attempt != info.Attempt;
        _infos[info.Id] = info;
        if (isChange)
            _changes.Add(new BoardChange(Elapsed, info));
    }
}

/// <summary>A task has come to another state.</summary>
internal sealed record BoardChange(TimeSpan At, TaskInfo Task);
