using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite.Engine;
using GrpcPool.Storage.Sqlite.Rows;

namespace GrpcPool.Storage.Sqlite;

/// <summary>
/// Finds the oldest queued task that never started. An index for this alone would cost every insertion; instead it is remembered up to where there is none, which
/// moves back only when an older task is queued anew.
/// </summary>
internal sealed class NeverStarted(Connection connection)
{
    /// <summary>How many queues are remembered.</summary>
    private const int QueuesMax = 1000;

    private readonly Statement _select = connection.PrepareFile("task_never_started");
    private readonly Dictionary<(string Namespace, string Queue), Dictionary<int, long>> _from = [];

    public TaskRecord? Oldest(TaskRows rows, string @namespace, string queue, int priorityMax)
    {
        if (_from.Count > QueuesMax)
            _from.Clear();
        if (!_from.TryGetValue((@namespace, queue), out Dictionary<int, long>? byPriority))
            _from.Add((@namespace, queue), byPriority = []);
        long from = byPriority.GetValueOrDefault(priorityMax);
        TaskRecord? oldest = rows.First(_select.Bind(1, from).Bind(2, priorityMax).Bind(3, @namespace).Bind(4, queue));
        byPriority[priorityMax] = oldest?.Sequence ?? long.MaxValue;
        return oldest;
    }

    public void Note(TaskRecord task)
    {
        if (task.State != TaskState.Queued || task.Attempt > 0 || !_from.TryGetValue((task.Id.Namespace, task.Spec.Queue), out Dictionary<int, long>? byPriority))
            return;
        foreach ((int priorityMax, long from) in byPriority)
        {
            if (task.Sequence < from && task.Spec.Priority <= priorityMax)
                byPriority[priorityMax] = task.Sequence;
        }
    }

    public void Reset() => _from.Clear();
}
