using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Execution;

/// <summary>Ready tasks that wait for one that runs: the holder of their serial key, or the other suspect. Guarded by the dispatcher's lock.</summary>
internal sealed class Exclusions
{
    private readonly Dictionary<long, (QueueLoad Load, ReadyTask Task)> _parked = [];
    private readonly HashSet<(string Namespace, string Key)> _heldKeys = [];

    /// <summary>Whether a task runs that may be what ends its hosts.</summary>
    public bool SuspectRuns { get; set; }

    /// <summary>How many tasks wait.</summary>
    public int Count => _parked.Count;

    public bool IsParked(long sequence) => _parked.ContainsKey(sequence);

    public bool IsHeld(string @namespace, string key) => key.Length > 0 && _heldKeys.Contains((@namespace, key));

    public bool MustWait(QueueId queue, ReadyTask task) => (task.Suspect && SuspectRuns) || IsHeld(queue.Namespace, task.SerialKey);

    public void Park(QueueLoad load, ReadyTask task) => _parked.Add(task.Sequence, (load, task));

    public void Forget(long sequence) => _parked.Remove(sequence);

    public void Clear() => _parked.Clear();

    /// <summary>The task has ended though its handler goes on: its key stays taken.</summary>
    public void Hold(SlotLease lease)
    {
        if (lease.SerialKey.Length > 0)
            lease.HoldsKey = _heldKeys.Add((lease.Load.Id.Namespace, lease.SerialKey));
    }

    /// <summary>Takes note that an attempt is over, and takes those out who need not wait any more.</summary>
    public IReadOnlyList<(QueueLoad Load, ReadyTask Task)> Release(SlotLease lease)
    {
        if (lease.Suspect)
            SuspectRuns = false;
        if (lease.HoldsKey)
            _heldKeys.Remove((lease.Load.Id.Namespace, lease.SerialKey));
        if (_parked.Count == 0 || !(lease.Suspect || lease.HoldsKey))
            return [];
        var free = new List<(QueueLoad Load, ReadyTask Task)>();
        foreach ((QueueLoad load, ReadyTask task) in _parked.Values)
        {
            if (!MustWait(load.Id, task))
                free.Add((load, task));
        }

        free.ForEach(parked => _parked.Remove(parked.Task.Sequence));
        return free;
    }
}
