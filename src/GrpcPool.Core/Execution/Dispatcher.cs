using GrpcPool.Core.Handlers;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Execution;

/// <summary>
/// Chooses what starts next, on the server itself and on its workers. Told of every commit by the committer; its lock makes it safe for those who only ask, and for
/// workers that come and go.
/// </summary>
internal sealed class Dispatcher
{
    private readonly Lock _lock = new();
    private readonly GrpcPoolOptions _options;
    private readonly AttemptHost _server;
    private readonly List<Station> _stations;
    private readonly Dictionary<QueueId, QueueLoad> _loads = [];

    /// <summary>The queue that was found last: most often the next is the same.</summary>
    private QueueLoad? _last;

    /// <summary>Ready tasks that wait for one that runs: the holder of their key, or the other suspect.</summary>
    private readonly Dictionary<long, (QueueLoad Load, ReadyTask Task)> _parked = [];
    private readonly HashSet<(string Namespace, string Key)> _heldKeys = [];
    private bool _suspectRuns;
    private bool _draining;

    public Dispatcher(GrpcPoolOptions options, HandlerRegistry handlers)
    {
        _options = options;
        _server = new AttemptHost(options.Pool.Slots);
        _stations = [new Station(@namespace: null, handlers.KindSet)];
        _stations[0].Add(_server);
    }

    /// <summary>The slots of the server itself that are taken.</summary>
    public int SlotsUsed
    {
        get
        {
            lock (_lock)
                return _server.Used;
        }
    }

    /// <summary>The slots of the largest host there is.</summary>
    public int LargestHost
    {
        get
        {
            lock (_lock)
                return _stations.Max(static station => station.SlotsMax);
        }
    }

    /// <summary>Takes note of what a store holds at its opening.</summary>
    public void Load(IEnumerable<LaneCount> counts)
    {
        lock (_lock)
        {
            foreach (LaneCount count in counts.Where(static count => count.Ready > 0))
                Load_NeedsLock(_stations[0], count.Lane);
        }
    }

    /// <summary>A worker has come.</summary>
    /// <param name="host">The worker; it runs nothing before it has credit.</param>
    /// <param name="namespace">Its namespace.</param>
    /// <param name="kinds">What it runs.</param>
    /// <param name="ready">The lanes in which something may be ready.</param>
    public void Join(AttemptHost host, string @namespace, IReadOnlySet<string> kinds, Func<IEnumerable<Lane>> ready)
    {
        lock (_lock)
        {
            Station? station = _stations.Find(station => station.IsFor(@namespace, kinds));
            if (station is null)
                _stations.Add(station = new Station(@namespace, kinds));
            if (!station.Add(host))
                return;

            // There may be tasks that no host before was large enough for.
            station.Reset();
            foreach (Lane lane in ready())
                Load_NeedsLock(station, lane);
        }
    }

    /// <summary>A worker takes more.</summary>
    public void AddCredit(AttemptHost host, int credit, int max)
    {
        lock (_lock)
            host.Credit = Math.Min(max, host.Credit + credit);
    }

    /// <summary>A worker takes no more, for now.</summary>
    public void StopCredit(AttemptHost host)
    {
        lock (_lock)
        {
            host.Credit = 0;
            Unreserve_NeedsLock(host);
        }
    }

    /// <summary>A worker has gone.</summary>
    public void Leave(AttemptHost host)
    {
        lock (_lock)
        {
            host.Credit = 0;
            Station station = _stations.Find(station => station.Hosts.Contains(host))!;
            Unreserve_NeedsLock(host);
            bool resized = station.Remove(host);
            if (station.Hosts.Count == 0)
            {
                _stations.Remove(station);
                foreach (QueueState queue in station.Queues.ToArray())
                    Forget_NeedsLock(queue);
            }
            else if (resized)
            {
                station.Reset();
            }
        }
    }

    /// <summary>Takes note of what a commit changed.</summary>
    public void Apply(CommitResult commit)
    {
        lock (_lock)
        {
            // First, since it tells how they stood when they became ready: one of them may have ended later in the same commit.
            foreach (TaskRecord task in commit.Unblocked)
            {
                if (task.IsReady)
                    Add_NeedsLock(QueueId.Of(task), ReadyTask.Of(task));
            }

            foreach (TaskChange change in commit.Changes)
            {
                if (change.Before == TaskState.Queued && change.Task.State != TaskState.Running)
                    Remove_NeedsLock(change.Task);
                if (change.Type == ChangeType.Changed && change.Task.IsReady)
                    Add_NeedsLock(QueueId.Of(change.Task), ReadyTask.Of(change.Task));
            }
        }
    }

    /// <summary>A commit failed, so what was picked may still be ready: everything is read from the store again.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            _parked.Clear();
            _stations.ForEach(static station => station.Reset());
        }
    }

    /// <summary>
    /// Chooses tasks to start while there are slots. Answers a lane that must be filled from the store before the next can be chosen, else null.
    /// </summary>
    public LaneWindow? PickAll(List<Pick> picks)
    {
        lock (_lock)
        {
            LaneWindow? toFill = null;
            for (int i = 0; i < _stations.Count && !_draining; i++)
                toFill = PickAll_NeedsLock(_stations[i], picks) ?? toFill;
            return toFill;
        }
    }

    /// <summary>Fills an empty lane with the first of what is ready in the store. Nothing picked may be uncommitted.</summary>
    public async ValueTask FillAsync(LaneWindow lane, ITaskStore store)
    {
        (int slotsMax, int limit) = ScopeOfFill(lane);
        IReadOnlyList<ReadyTask> ready = await store.ReadReadyAsync(lane.Lane, slotsMax, limit).ConfigureAwait(false);
        lock (_lock)
        {
            Station station = lane.Queue.Station;
            lane.Fill(ready.Where(task => !_parked.ContainsKey(task.Sequence) && !station.HasReserved(task.Sequence)), complete: ready.Count < limit);
            station.Refresh(lane.Queue);
        }
    }

    /// <summary>Keeps slots for a task that could start the moment it is inserted; null where something else goes first or there is no room.</summary>
    public SlotLease? TryTake(NewTask task)
    {
        lock (_lock)
        {
            TaskSpec spec = task.Spec;
            if (_draining || IsHeld_NeedsLock(task.Id.Namespace, spec.SerialKey))
                return null;
            foreach (Station station in _stations)
            {
                if (station.IsIdle && station.Runs(task.Id.Namespace, spec.Kind) && station.HostFor(spec.Slots) is { } host)
                {
                    QueueState queue = station.Queue(LoadOf_NeedsLock(QueueId.Of(task)));
                    if (queue.HasNothingReady && queue.Load.HasLimitFor(spec.Slots))
                        return Take_NeedsLock(queue, host, spec.Slots, spec.SerialKey, suspect: false);
                }
            }

            return null;
        }
    }

    /// <summary>Takes note of an attempt that runs already, at nobody who is connected.</summary>
    public SlotLease Adopt(TaskRecord task)
    {
        lock (_lock)
        {
            QueueLoad load = LoadOf_NeedsLock(QueueId.Of(task));
            load.Running += task.Spec.Slots;
            bool suspect = ReadyTask.IsSuspect(task.Losses);
            _suspectRuns |= suspect;
            return new SlotLease(load, host: null, task.Spec.Slots, task.Spec.SerialKey, suspect);
        }
    }

    /// <summary>Gives back what an attempt held. May be called twice.</summary>
    public void Release(SlotLease lease)
    {
        lock (_lock)
        {
            if (lease.Released)
                return;
            lease.Released = true;
            lease.Host?.Return(lease.Slots);
            lease.Load.Running -= lease.Slots;
            if (lease.Suspect)
                _suspectRuns = false;
            if (lease.HoldsKey)
                _heldKeys.Remove((lease.Load.Id.Namespace, lease.SerialKey));
            if (lease.Suspect || lease.HoldsKey)
                Unpark_NeedsLock();
            Refresh_NeedsLock(lease.Load);
        }
    }

    /// <summary>Gives back the slots of an attempt that goes on elsewhere: only its queue's limit counts it from now on.</summary>
    public void ReleaseHost(SlotLease lease)
    {
        lock (_lock)
        {
            if (lease.Released)
                return;
            lease.Host?.Return(lease.Slots);
            lease.Host = null;
        }
    }

    /// <summary>The task has ended though its handler goes on: slots and key stay taken until <see cref="Release"/>.</summary>
    public void HoldKey(SlotLease lease)
    {
        lock (_lock)
        {
            if (!lease.Released && lease.SerialKey.Length > 0)
                lease.HoldsKey = _heldKeys.Add((lease.Load.Id.Namespace, lease.SerialKey));
        }
    }

    /// <summary>From now on nothing starts.</summary>
    public void Drain()
    {
        lock (_lock)
            _draining = true;
    }

    /// <summary>Why a task does not run now; null for one that is not waiting.</summary>
    public WaitingReason? ReasonFor(TaskRecord task)
    {
        return task.State switch
        {
            TaskState.Scheduled => WaitingReason.NotDue,
            TaskState.Retrying => WaitingReason.Backoff,
            TaskState.Queued => ReasonForQueued(task),
            _ => null,
        };
    }

    private WaitingReason ReasonForQueued(TaskRecord task)
    {
        lock (_lock)
        {
            if (_draining)
                return WaitingReason.Draining;
            if (task.Blocked || IsHeld_NeedsLock(task.Id.Namespace, task.Spec.SerialKey))
                return WaitingReason.SerialKeyBusy;
            List<Station> stations = _stations.FindAll(station => station.Runs(task.Id.Namespace, task.Spec.Kind));
            if (stations.Count == 0)
                return WaitingReason.NoWorker;
            if (_loads.TryGetValue(QueueId.Of(task), out QueueLoad? load) && !load.HasLimitFor(task.Spec.Slots))
                return WaitingReason.QueueLimit;
            bool tooLarge = stations.TrueForAll(station => station != _stations[0] && station.SlotsMax < task.Spec.Slots);
            return tooLarge ? WaitingReason.NoWorker : WaitingReason.PoolFull;
        }
    }

    private LaneWindow? PickAll_NeedsLock(Station station, List<Pick> picks)
    {
        StartReserved_NeedsLock(station, picks);

        // Not before a slot is free: until then something of a higher priority may come.
        while (station.Next is { } queue && station.HasRoom)
        {
            if (queue.LaneToFill is { } lane)
                return lane;
            ReadyTask head = queue.Head()!;
            if (Park_NeedsLock(queue.Load, head))
                continue;
            if (station.HostFor(head.Slots) is { } host)
            {
                picks.Add(Pick_NeedsLock(queue, host, head));
                continue;
            }

            if (!station.TryReserve(new Reservation(queue, head)))
                return null;
            queue.Remove(head);
            station.Refresh(queue);
        }

        return null;
    }

    private void StartReserved_NeedsLock(Station station, List<Pick> picks)
    {
        foreach (AttemptHost host in station.Hosts)
        {
            if (host.Reserved is not { } reserved || (reserved.Task.Slots <= host.Free ? host : station.HostFor(reserved.Task.Slots)) is not { } free)
                continue;
            host.Reserved = null;
            if (reserved.Queue.Load.HasLimitFor(reserved.Task.Slots))
                picks.Add(Pick_NeedsLock(reserved.Queue, free, reserved.Task));
            else
                Add_NeedsLock(reserved.Queue.Load.Id, reserved.Task);
        }
    }

    private Pick Pick_NeedsLock(QueueState queue, AttemptHost host, ReadyTask task)
    {
        Remove_NeedsLock(queue.Load.Id, task);
        return new Pick(task, Take_NeedsLock(queue, host, task.Slots, task.SerialKey, task.Suspect));
    }

    private SlotLease Take_NeedsLock(QueueState queue, AttemptHost host, int slots, string serialKey, bool suspect)
    {
        host.Take(slots);
        queue.Load.Running += slots;
        queue.Station.Charge(queue, slots);
        _suspectRuns |= suspect;
        Refresh_NeedsLock(queue.Load);
        return new SlotLease(queue.Load, host, slots, serialKey, suspect);
    }

    private void Add_NeedsLock(QueueId id, ReadyTask task)
    {
        foreach (Station station in _stations)
        {
            if (!station.Runs(id.Namespace, task.Kind))
                continue;
            QueueState queue = station.Queue(LoadOf_NeedsLock(id));
            queue.Add(task);
            station.Refresh(queue);
        }
    }

    private void Remove_NeedsLock(TaskRecord task)
    {
        _parked.Remove(task.Sequence);
        Remove_NeedsLock(QueueId.Of(task), ReadyTask.Of(task));
    }

    private void Remove_NeedsLock(QueueId id, ReadyTask task)
    {
        foreach (Station station in _stations)
        {
            if (station.Runs(id.Namespace, task.Kind))
                station.Remove(id, task);
        }
    }

    private void Load_NeedsLock(Station station, Lane lane)
    {
        if (!station.Runs(lane.Namespace, lane.Kind))
            return;
        QueueState queue = station.Queue(LoadOf_NeedsLock(new QueueId(lane.Namespace, lane.Queue)));
        queue.Lane(lane.Kind).Reset();
        station.Refresh(queue);
    }

    private void Unreserve_NeedsLock(AttemptHost host)
    {
        if (host.Reserved is not { } reserved)
            return;
        host.Reserved = null;
        Add_NeedsLock(reserved.Queue.Load.Id, reserved.Task);
    }

    private bool Park_NeedsLock(QueueLoad load, ReadyTask task)
    {
        if (!MustWait_NeedsLock(load.Id, task))
            return false;
        Remove_NeedsLock(load.Id, task);
        _parked.Add(task.Sequence, (load, task));
        return true;
    }

    private void Unpark_NeedsLock()
    {
        foreach ((QueueLoad load, ReadyTask task) in _parked.Values.ToArray())
        {
            if (MustWait_NeedsLock(load.Id, task))
                continue;
            _parked.Remove(task.Sequence);
            Add_NeedsLock(load.Id, task);
        }
    }

    private bool MustWait_NeedsLock(QueueId queue, ReadyTask task) => (task.Suspect && _suspectRuns) || IsHeld_NeedsLock(queue.Namespace, task.SerialKey);

    private bool IsHeld_NeedsLock(string @namespace, string key) => key.Length > 0 && _heldKeys.Contains((@namespace, key));

    private QueueLoad LoadOf_NeedsLock(QueueId id)
    {
        if (_last?.Id == id)
            return _last;
        if (!_loads.TryGetValue(id, out QueueLoad? load))
            _loads.Add(id, load = new QueueLoad(id, _options.QueueOrDefault(id.Name)));
        return _last = load;
    }

    /// <summary>A queue's limit, and who has room, holds for all stations that run something of it.</summary>
    private void Refresh_NeedsLock(QueueLoad load)
    {
        for (int i = load.States.Count - 1; i >= 0; i--)
        {
            QueueState queue = load.States[i];
            queue.Station.Refresh(queue);
            if (_loads.Count > _options.Limits.Queues && queue is { Load.Running: 0, IsEmpty: true })
                Forget_NeedsLock(queue);
        }

        ForgetIfUnused_NeedsLock(load);
    }

    private void Forget_NeedsLock(QueueState queue)
    {
        queue.Station.Forget(queue);
        ForgetIfUnused_NeedsLock(queue.Load);
    }

    private void ForgetIfUnused_NeedsLock(QueueLoad load)
    {
        if (load is not { Running: 0, States.Count: 0 })
            return;
        _loads.Remove(load.Id);
        _last = null;
    }

    private (int SlotsMax, int Limit) ScopeOfFill(LaneWindow lane)
    {
        lock (_lock)
            return (lane.Queue.SlotsMax, LaneWindow.TasksMax + _parked.Count + lane.Queue.Station.Hosts.Count);
    }
}
