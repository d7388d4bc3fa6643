using GrpcPool.Core.Administration;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Execution;

/// <summary>The server itself and its workers, by what they run: what becomes ready is told to all who could start it, and started by one. Guarded by the dispatcher's lock.</summary>
internal sealed class Stations
{
    private readonly SettingsInForce _settings;
    private readonly Exclusions _exclusions;
    private readonly RateLimits _rates;
    private readonly List<Station> _stations;
    private readonly Dictionary<QueueId, QueueLoad> _loads = [];

    /// <summary>The queue that was found last: most often the next is the same.</summary>
    private QueueLoad? _last;

    /// <param name="settings">The settings of queues.</param>
    /// <param name="exclusions">Who must wait for one that runs.</param>
    /// <param name="rates">How often attempts may start.</param>
    /// <param name="server">The server itself.</param>
    public Stations(SettingsInForce settings, Exclusions exclusions, RateLimits rates, Station server) =>
        (_settings, _exclusions, _rates, _stations) = (settings, exclusions, rates, [server]);

    public Station Server => _stations[0];

    public IReadOnlyList<Station> All => _stations;

    public int LargestHost => _stations.Max(static station => station.SlotsMax);

    public QueueLoad? Find(QueueId id) => _loads.GetValueOrDefault(id);

    /// <summary>A worker has come.</summary>
    public void Join(AttemptHost host, string @namespace, IReadOnlySet<string> kinds, Func<IEnumerable<Lane>> ready)
    {
        Station? station = _stations.Find(station => station.IsFor(@namespace, kinds));
        if (station is null)
            _stations.Add(station = new Station(@namespace, kinds));
        if (station.Add(host))
            Reload(station, ready());
    }

    /// <summary>A host has another size now.</summary>
    public void Resize(Station station, AttemptHost host, int slots, Func<IEnumerable<Lane>> ready)
    {
        if (station.Resize(host, slots))
            Reload(station, ready());
    }

    /// <summary>Something else holds for the queues of a name.</summary>
    public void Change(string name, Func<IEnumerable<Lane>> ready)
    {
        foreach (QueueLoad load in _loads.Values.Where(load => load.Id.Name == name).ToArray())
        {
            load.Rules = _settings.Queue(name);
            foreach (AttemptHost host in _stations.SelectMany(static station => station.Hosts).Where(host => host.Reserved?.Queue.Load == load))
                Unreserve(host);
            Refresh(load);
        }

        // What was too large for its limit may be no longer, and the other way round.
        foreach (Lane lane in ready().Where(lane => lane.Queue == name))
            _stations.ForEach(station => Load(station, lane));
    }

    /// <summary>A worker has gone.</summary>
    public void Leave(AttemptHost host)
    {
        Station station = _stations.Find(station => station.Hosts.Contains(host))!;
        Unreserve(host);
        bool resized = station.Remove(host);
        if (station.Hosts.Count == 0)
        {
            _stations.Remove(station);
            foreach (QueueState queue in station.Queues.ToArray())
                Forget(queue);
        }
        else if (resized)
        {
            station.Reset();
        }
    }

    /// <summary>Gives back what a host has kept free: the task may start elsewhere.</summary>
    public void Unreserve(AttemptHost host)
    {
        if (host.Reserved is not { } reserved)
            return;
        host.Reserved = null;
        Add(reserved.Queue.Load.Id, reserved.Task);
    }

    /// <summary>Something may be ready in a lane of the store.</summary>
    public void Load(Station station, Lane lane)
    {
        if (!station.Runs(lane.Namespace, lane.Kind))
            return;
        QueueState queue = station.Queue(LoadOf(new QueueId(lane.Namespace, lane.Queue)));
        queue.Lane(lane.Kind).Reset();
        station.Refresh(queue);
    }

    /// <summary>The slots that the running tasks of each queue take.</summary>
    public Dictionary<QueueId, int> ReadRunning() => _loads.Values.Where(static load => load.Running > 0).ToDictionary(static load => load.Id, static load => load.Running);

    /// <summary>Everything is read from the store again.</summary>
    public void Reset() => _stations.ForEach(static station => station.Reset());

    /// <summary>A task has become ready.</summary>
    public void Add(QueueId id, ReadyTask task)
    {
        foreach (Station station in _stations)
        {
            if (!station.Runs(id.Namespace, task.Kind))
                continue;
            QueueState queue = station.Queue(LoadOf(id));
            queue.Add(task);
            station.Refresh(queue);
        }
    }

    /// <summary>A task is no longer ready.</summary>
    public void Remove(TaskRecord task)
    {
        _exclusions.Forget(task.Sequence);
        Remove(QueueId.Of(task), ReadyTask.Of(task));
    }

    /// <summary>Chooses tasks for one station while it has slots.</summary>
    /// <returns>A lane that must be filled from the store before the next can be chosen, else null.</returns>
    public LaneWindow? PickAll(Station station, List<Pick> picks)
    {
        StartReserved(station, picks);

        // Not before a slot is free: until then something of a higher priority may come.
        while (station.Next is { } queue && station.HasRoom)
        {
            if (queue.LaneToFill is { } lane)
                return lane;
            ReadyTask head = queue.Head()!;
            if (TryPark(queue.Load, head))
                continue;
            if (station.HostFor(head.Slots) is { } host)
            {
                picks.Add(Pick(queue, host, head));
                continue;
            }

            if (!station.TryReserve(new Reservation(queue, head)))
                return null;
            queue.Remove(head);
            station.Refresh(queue);
        }

        return null;
    }

    /// <summary>Keeps slots for a newcomer; null where something else goes first or there is no room.</summary>
    public SlotLease? TryTake(NewTask task)
    {
        TaskSpec spec = task.Spec;
        TokenBucket? kind = _rates.OfKind(task.Id.Namespace, spec.Kind);
        foreach (Station station in _stations)
        {
            if (station.IsIdle && station.Runs(task.Id.Namespace, spec.Kind) && station.HostFor(spec.Slots) is { } host)
            {
                QueueState queue = station.Queue(LoadOf(QueueId.Of(task)));
                if (queue.HasNothingReady && queue.Load.MayStart(spec.Slots, kind))
                {
                    Spend(queue.Load, kind);
                    return Take(queue, host, spec.Slots, spec.SerialKey, suspect: false);
                }
            }
        }

        return null;
    }

    public QueueLoad LoadOf(QueueId id)
    {
        if (_last?.Id == id)
            return _last;
        if (!_loads.TryGetValue(id, out QueueLoad? load))
            _loads.Add(id, load = new QueueLoad(id, _settings.Queue(id.Name), _settings.Configured.WeightOf(id.Namespace), _rates));
        return _last = load;
    }

    /// <summary>A queue's limit, and who has room, holds for all stations that run something of it.</summary>
    public void Refresh(QueueLoad load)
    {
        for (int i = load.States.Count - 1; i >= 0; i--)
        {
            QueueState queue = load.States[i];
            queue.Station.Refresh(queue);
            if (_loads.Count > _settings.Configured.Limits.Queues && queue is { Load.Running: 0, IsEmpty: true })
                Forget(queue);
        }

        ForgetIfUnused(load);
    }

    /// <summary>A rate holds up what it did not, or the other way round; that of a kind does so in many queues.</summary>
    public void RefreshAll()
    {
        foreach (Station station in _stations)
        {
            foreach (QueueState queue in station.Queues)
                station.Refresh(queue);
        }
    }

    /// <summary>There may be tasks that no host before was large enough for.</summary>
    private void Reload(Station station, IEnumerable<Lane> ready)
    {
        station.Reset();
        foreach (Lane lane in ready)
            Load(station, lane);
    }

    private void StartReserved(Station station, List<Pick> picks)
    {
        foreach (AttemptHost host in station.Hosts)
        {
            if (host.Reserved is not { } reserved || (reserved.Task.Slots <= host.Free ? host : station.HostFor(reserved.Task.Slots)) is not { } free)
                continue;
            host.Reserved = null;
            if (reserved.Queue.Load.MayStart(reserved.Task.Slots, _rates.OfKind(reserved.Queue.Load.Id.Namespace, reserved.Task.Kind)))
                picks.Add(Pick(reserved.Queue, free, reserved.Task));
            else
                Add(reserved.Queue.Load.Id, reserved.Task);
        }
    }

    private Pick Pick(QueueState queue, AttemptHost host, ReadyTask task)
    {
        Remove(queue.Load.Id, task);
        Spend(queue.Load, _rates.OfKind(queue.Load.Id.Namespace, task.Kind));
        return new Pick(task, Take(queue, host, task.Slots, task.SerialKey, task.Suspect));
    }

    private void Spend(QueueLoad load, TokenBucket? kind)
    {
        if (_rates.Take(load.Bucket, kind))
            RefreshAll();
    }

    private SlotLease Take(QueueState queue, AttemptHost host, int slots, string serialKey, bool suspect)
    {
        host.Take(slots);
        queue.Load.Running += slots;
        queue.Station.Charge(queue, slots);
        _exclusions.SuspectRuns |= suspect;
        Refresh(queue.Load);
        return new SlotLease(queue.Load, host, slots, serialKey, suspect);
    }

    private bool TryPark(QueueLoad load, ReadyTask task)
    {
        if (!_exclusions.MustWait(load.Id, task))
            return false;
        Remove(load.Id, task);
        _exclusions.Park(load, task);
        return true;
    }

    private void Remove(QueueId id, ReadyTask task)
    {
        foreach (Station station in _stations)
        {
            if (station.Runs(id.Namespace, task.Kind))
                station.Remove(id, task);
        }
    }

    private void Forget(QueueState queue)
    {
        queue.Station.Forget(queue);
        ForgetIfUnused(queue.Load);
    }

    private void ForgetIfUnused(QueueLoad load)
    {
        if (load is not { Running: 0, States.Count: 0 })
            return;
        _loads.Remove(load.Id);
        _last = null;
    }
}
