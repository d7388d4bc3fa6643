using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Execution;

/// <summary>
/// Those who run the same kinds, and what they could start: namespaces by weight, within one its queues by weight, within a queue by priority and then by when a task became due. One is the server itself;
/// workers of one namespace with the same kinds are another. Guarded by the dispatcher's lock.
/// </summary>
/// <param name="namespace">The namespace that it works for; null for all.</param>
/// <param name="kinds">The kinds.</param>
internal sealed class Station(string? @namespace, IReadOnlySet<string> kinds)
{
    private readonly List<AttemptHost> _hosts = [];
    private readonly Dictionary<QueueId, QueueState> _queues = [];

    private readonly Dictionary<string, NamespaceState> _namespaces = [];

    /// <summary>The namespaces with a queue that has something to start.</summary>
    private readonly Turn.Order<NamespaceState> _startable = new();
    private long _ordinals;

    public IReadOnlyList<AttemptHost> Hosts => _hosts;

    /// <summary>The slots of the largest host.</summary>
    public int SlotsMax { get; private set; }

    /// <summary>The queue that starts next; null for none.</summary>
    public QueueState? Next => _startable.Next?.Startable.Next;

    public bool IsIdle => _startable.IsEmpty;

    public IReadOnlyCollection<QueueState> Queues => _queues.Values;

    public bool Runs(string taskNamespace, string kind) => kinds.Contains(kind) && (@namespace is null || @namespace == taskNamespace);

    public bool IsFor(string hostNamespace, IReadOnlySet<string> hostKinds) => @namespace == hostNamespace && kinds.SetEquals(hostKinds);

    /// <summary>Hosts come and go. True where the largest is another now: what is too large must be found out anew.</summary>
    public bool Add(AttemptHost host)
    {
        _hosts.Add(host);
        return Resize();
    }

    public bool Remove(AttemptHost host)
    {
        _hosts.Remove(host);
        return Resize();
    }

    public QueueState? Find(QueueId id) => _queues.GetValueOrDefault(id);

    public QueueState Queue(QueueLoad load)
    {
        QueueState? queue = load.StateAt(this);
        if (queue is null)
        {
            if (!_namespaces.TryGetValue(load.Id.Namespace, out NamespaceState? all))
                _namespaces.Add(load.Id.Namespace, all = new NamespaceState(load.NamespaceWeight, _ordinals++));
            all.Queues++;
            _queues.Add(load.Id, queue = new QueueState(load, this, all, _ordinals++));
            load.States.Add(queue);
        }

        return queue;
    }

    /// <summary>The host with the most room for a task; null where it would have to wait.</summary>
    public AttemptHost? HostFor(int slots)
    {
        AttemptHost? most = null;
        foreach (AttemptHost host in _hosts)
        {
            if (host.Reserved is null && host.Free >= slots && host.Free > (most?.Free ?? 0))
                most = host;
        }

        return most;
    }

    /// <summary>Whether a host has a slot that nobody has reserved.</summary>
    public bool HasRoom => HostFor(slots: 1) is not null;

    /// <summary>Keeps the host with the most room for a task that needs more; false where all that are large enough are kept for others.</summary>
    public bool TryReserve(Reservation task)
    {
        AttemptHost? host = _hosts.Where(host => host.Reserved is null && host.Slots >= task.Task.Slots).MaxBy(static host => host.Free);
        if (host is null)
            return false;
        host.Reserved = task;
        return true;
    }

    public bool HasReserved(long sequence)
    {
        foreach (AttemptHost host in _hosts)
        {
            if (host.Reserved?.Task.Sequence == sequence)
                return true;
        }

        return false;
    }

    /// <summary>Forgets a task that is no longer to start here.</summary>
    public void Remove(QueueId id, ReadyTask task)
    {
        foreach (AttemptHost host in _hosts)
        {
            if (host.Reserved?.Task.Sequence == task.Sequence)
                host.Reserved = null;
        }

        if (_queues.TryGetValue(id, out QueueState? queue))
        {
            queue.Remove(task);
            Refresh(queue);
        }
    }

    /// <summary>A host has another size now. True where the largest is another.</summary>
    public bool Resize(AttemptHost host, int slots)
    {
        host.Slots = slots;
        return Resize();
    }

    /// <summary>Everything is read from the store again.</summary>
    public void Reset()
    {
        foreach (AttemptHost host in _hosts)
            host.Reserved = null;
        foreach (QueueState queue in _queues.Values)
        {
            queue.Reset();
            Refresh(queue);
        }
    }

    /// <summary>A queue has started something; it is to be refreshed after that.</summary>
    public void Charge(QueueState queue, int slots)
    {
        queue.Namespace.Startable.Charge(queue, slots);
        _startable.Charge(queue.Namespace, slots);
    }

    /// <summary>Puts a queue where it belongs after anything about it has changed.</summary>
    public void Refresh(QueueState queue)
    {
        bool startable = queue.Load.IsOpen && (queue.LaneToFill is not null || (queue.Head() is { } head && queue.Load.HasLimitFor(head.Slots)));
        if (startable)
            queue.Namespace.Startable.Add(queue);
        else
            queue.Namespace.Startable.Remove(queue);
        Refresh(queue.Namespace);
    }

    public void Forget(QueueState queue)
    {
        queue.Namespace.Startable.Remove(queue);
        Refresh(queue.Namespace);
        _queues.Remove(queue.Load.Id);
        queue.Load.States.Remove(queue);
        if (--queue.Namespace.Queues == 0)
            _namespaces.Remove(queue.Load.Id.Namespace);
    }

    private void Refresh(NamespaceState all)
    {
        if (all.Startable.IsEmpty)
            _startable.Remove(all);
        else
            _startable.Add(all);
    }

    private bool Resize()
    {
        int largest = _hosts.Count == 0 ? 0 : _hosts.Max(static host => host.Slots);
        bool changed = largest != SlotsMax;
        SlotsMax = largest;
        return changed;
    }
}
