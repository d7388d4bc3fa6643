using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Memory;

/// <summary>Which tasks are to run after which, as long as they have not ended. Not thread-safe: the store locks.</summary>
internal sealed class MemoryDependencies
{
    private readonly Dictionary<TaskId, SortedDictionary<long, TaskId>> _waiting = [];
    private readonly Dictionary<TaskId, List<TaskId>> _parents = [];

    public void Add(TaskRecord parent, TaskRecord dependant, bool waits)
    {
        if (!_parents.TryGetValue(dependant.Id, out List<TaskId>? parents))
            _parents.Add(dependant.Id, parents = []);
        parents.Add(parent.Id);
        if (!waits)
            return;
        if (!_waiting.TryGetValue(parent.Id, out SortedDictionary<long, TaskId>? waiting))
            _waiting.Add(parent.Id, waiting = []);
        waiting.Add(dependant.Sequence, dependant.Id);
    }

    public IReadOnlyList<TaskId> TakeWaiting(TaskId parent) => _waiting.Remove(parent, out SortedDictionary<long, TaskId>? waiting) ? [.. waiting.Values] : [];

    public IReadOnlyList<TaskId> TakeParents(TaskRecord dependant)
    {
        if (!_parents.Remove(dependant.Id, out List<TaskId>? parents))
            return [];
        foreach (TaskId parent in parents)
        {
            if (_waiting.TryGetValue(parent, out SortedDictionary<long, TaskId>? waiting) && waiting.Remove(dependant.Sequence) && waiting.Count == 0)
                _waiting.Remove(parent);
        }

        return parents;
    }
}
