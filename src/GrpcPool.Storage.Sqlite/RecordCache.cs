using GrpcPool.Core.Storage.Packs;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Storage.Sqlite;

/// <summary>
/// What the writer need not read again: the tasks that run, which are in memory anyway, those that the transaction under way has touched, and a bounded number of
/// small ones that have just become ready, since they are the next to start unless there is a backlog.
/// </summary>
internal sealed class RecordCache
{
    private const int ReadyMax = 2048;

    private readonly Dictionary<TaskId, TaskRecord> _tasks = [];
    private readonly List<TaskId> _touched = [];
    private readonly Queue<TaskId> _ready = new();

    public TaskRecord? Find(TaskId id) => _tasks.GetValueOrDefault(id);

    public void Put(TaskRecord task)
    {
        _tasks[task.Id] = task;
        if (task.State != TaskState.Running)
            _touched.Add(task.Id);
    }

    public void Remove(TaskId id) => _tasks.Remove(id);

    /// <summary>The transaction is over.</summary>
    public void Settle()
    {
        foreach (TaskId id in _touched)
        {
            if (!_tasks.TryGetValue(id, out TaskRecord? task) || task.State == TaskState.Running)
                continue;
            if (task.IsReady && !SpecPack.IsApart(task.Spec.Payload))
                _ready.Enqueue(id);
            else
                _tasks.Remove(id);
        }

        _touched.Clear();
        while (_ready.Count > ReadyMax)
            Forget(_ready.Dequeue());
    }

    public void Clear()
    {
        _tasks.Clear();
        _touched.Clear();
        _ready.Clear();
    }

    private void Forget(TaskId id)
    {
        if (_tasks.TryGetValue(id, out TaskRecord? task) && task.State != TaskState.Running)
            _tasks.Remove(id);
    }
}
