using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Watching;

/// <summary>What <c>top</c> shows: how the pool is, how it was lately, and what runs. Thread-safe.</summary>
internal sealed class TopBoard
{
    /// <summary>How many tasks are kept: more than any screen shows.</summary>
    private const int TasksMax = 1000;

    private const int HistoryMax = 60;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, TaskInfo> _running = new(StringComparer.Ordinal);
    private readonly Queue<double> _finished = [];
    private PoolInfo? _pool;
    private string _trouble = "";

    public void Take(PoolInfo pool)
    {
        lock (_lock)
        {
            _pool = pool;
            _trouble = "";
            if (pool.Rates is null)
                return;
            _finished.Enqueue(pool.Rates.Finished);
            if (_finished.Count > HistoryMax)
                _finished.Dequeue();
        }
    }

    public void Take(TaskEvent told)
    {
        lock (_lock)
        {
            if (told.Restarted)
                _running.Clear();
            if (told.Task is not { } task)
                return;
            if (told.Type != WatchEventType.Deleted && task.State == TaskState.Running && (_running.Count < TasksMax || _running.ContainsKey(task.Id)))
                _running[task.Id] = task;
            else
                _running.Remove(task.Id);
        }
    }

    /// <summary>Takes note that the server does not answer.</summary>
    public void TakeTrouble(string text)
    {
        lock (_lock)
            _trouble = text;
    }

    /// <summary>All of it at one moment: the tasks that run longest first.</summary>
    public TopView Read()
    {
        lock (_lock)
            return new TopView(_pool, [.. _finished], [.. _running.Values.OrderBy(static task => task.StartedAt).ThenBy(static task => task.Id, StringComparer.Ordinal)], _trouble);
    }
}

/// <summary>What <c>top</c> shows at one moment.</summary>
/// <param name="Pool">The pool; null before it was heard.</param>
/// <param name="Finished">How many tasks ended per second, lately.</param>
/// <param name="Running">What runs.</param>
/// <param name="Trouble">Why nothing is heard; else empty.</param>
internal sealed record TopView(PoolInfo? Pool, IReadOnlyList<double> Finished, IReadOnlyList<TaskInfo> Running, string Trouble);
