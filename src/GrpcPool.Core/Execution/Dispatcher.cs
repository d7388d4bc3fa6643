using GrpcPool.Core.Administration;
using GrpcPool.Core.Handlers;
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
    private readonly SettingsInForce _settings;
    private readonly AttemptHost _server;
    private readonly Exclusions _exclusions = new();
    private readonly RateLimits _rates;
    private readonly Stations _stations;
    private bool _draining;

    public Dispatcher(SettingsInForce settings, HandlerRegistry handlers, TimeProvider time)
    {
        _settings = settings;
        _rates = new RateLimits(settings.Configured, time);
        var server = new Station(@namespace: null, handlers.KindSet);
        server.Add(_server = new AttemptHost(settings.Slots));
        _stations = new Stations(settings, _exclusions, _rates, server);
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

    /// <summary>The slots that the running tasks of each queue take, on workers too.</summary>
    public IReadOnlyDictionary<QueueId, int> SlotsByQueue()
    {
        lock (_lock)
            return _stations.ReadRunning();
    }

    /// <summary>The slots of one worker that are taken.</summary>
    public int SlotsUsedBy(AttemptHost host)
    {
        lock (_lock)
            return host.Used;
    }

    /// <summary>The slots of the largest host there is.</summary>
    public int LargestHost
    {
        get
        {
            lock (_lock)
                return _stations.LargestHost;
        }
    }

    /// <summary>How long it is until a rate lets something start; null where none holds anything up.</summary>
    public TimeSpan? RateWait
    {
        get
        {
            lock (_lock)
                return _rates.Wait;
        }
    }

    /// <summary>Takes note of what a store holds at its opening.</summary>
    public void Load(IEnumerable<LaneCount> counts)
    {
        lock (_lock)
        {
            foreach (LaneCount count in counts.Where(static count => count.Ready > 0))
                _stations.Load(_stations.Server, count.Lane);
        }
    }

    /// <summary>The server has as many slots as the settings say now: what runs goes on, and nothing starts before there is room.</summary>
    /// <param name="ready">The lanes in which something may be ready.</param>
    public void Resize(Func<IEnumerable<Lane>> ready)
    {
        lock (_lock)
            _stations.Resize(_stations.Server, _server, _settings.Slots, ready);
    }

    /// <summary>Something else holds for the queues of a name.</summary>
    /// <param name="queue">The name.</param>
    /// <param name="ready">The lanes in which something may be ready.</param>
    public void Change(string queue, Func<IEnumerable<Lane>> ready)
    {
        lock (_lock)
            _stations.Change(queue, ready);
    }

    /// <summary>A worker has come.</summary>
    /// <param name="host">The worker; it runs nothing before it has credit.</param>
    /// <param name="namespace">Its namespace.</param>
    /// <param name="kinds">What it runs.</param>
    /// <param name="ready">The lanes in which something may be ready.</param>
    public void Join(AttemptHost host, string @namespace, IReadOnlySet<string> kinds, Func<IEnumerable<Lane>> ready)
    {
        lock (_lock)
            _stations.Join(host, @namespace, kinds, ready);
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
            _stations.Unreserve(host);
        }
    }

    /// <summary>A worker gets nothing more, for good.</summary>
    public void Retire(AttemptHost host)
    {
        lock (_lock)
        {
            host.IsRetired = true;
            _stations.Unreserve(host);
        }
    }

    /// <summary>A worker has gone.</summary>
    public void Leave(AttemptHost host)
    {
        lock (_lock)
        {
            host.Credit = 0;
            _stations.Leave(host);
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
                    _stations.Add(QueueId.Of(task), ReadyTask.Of(task));
            }

            foreach (TaskChange change in commit.Changes)
            {
                if (change.Before == TaskState.Queued && change.Task.State != TaskState.Running)
                    _stations.Remove(change.Task);
                if (change.Type == ChangeType.Changed && change.Task.IsReady)
                    _stations.Add(QueueId.Of(change.Task), ReadyTask.Of(change.Task));
            }
        }
    }

    /// <summary>A commit failed, so what was picked may still be ready: everything is read from the store again.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            _exclusions.Clear();
            _stations.Reset();
        }
    }

    /// <summary>
    /// Chooses tasks to start while there are slots. Answers a lane that must be filled from the store before the next can be chosen, else null.
    /// </summary>
    public LaneWindow? PickAll(List<Pick> picks)
    {
        lock (_lock)
        {
            if (_rates.Refill())
                _stations.RefreshAll();
            LaneWindow? toFill = null;
            for (int i = 0; i < _stations.All.Count && !_draining; i++)
                toFill = _stations.PickAll(_stations.All[i], picks) ?? toFill;
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
            lane.Fill(ready.Where(task => !_exclusions.IsParked(task.Sequence) && !station.HasReserved(task.Sequence)), complete: ready.Count < limit);
            station.Refresh(lane.Queue);
        }
    }

    /// <summary>Keeps slots for a task that could start the moment it is inserted; null where something else goes first or there is no room.</summary>
    public SlotLease? TryTake(NewTask task)
    {
        lock (_lock)
            return _draining || _exclusions.IsHeld(task.Id.Namespace, task.Spec.SerialKey) ? null : _stations.TryTake(task);
    }

    /// <summary>Takes note of an attempt that runs already, at nobody who is connected.</summary>
    public SlotLease Adopt(TaskRecord task)
    {
        lock (_lock)
        {
            QueueLoad load = _stations.LoadOf(QueueId.Of(task));
            load.Running += task.Spec.Slots;
            bool suspect = ReadyTask.IsSuspect(task.Losses);
            _exclusions.SuspectRuns |= suspect;
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
            foreach ((QueueLoad load, ReadyTask task) in _exclusions.Release(lease))
                _stations.Add(load.Id, task);
            _stations.Refresh(lease.Load);
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
            if (!lease.Released)
                _exclusions.Hold(lease);
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
            TaskState.Scheduled => task.Awaits > 0 ? WaitingReason.After : WaitingReason.NotDue,
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
            if (_settings.Queue(task.Spec.Queue).Paused)
                return WaitingReason.QueuePaused;
            if (task.Blocked || _exclusions.IsHeld(task.Id.Namespace, task.Spec.SerialKey))
                return WaitingReason.SerialKeyBusy;
            Station[] stations = [.. _stations.All.Where(station => station.Runs(task.Id.Namespace, task.Spec.Kind))];
            if (stations.Length == 0)
                return WaitingReason.NoWorker;
            if (_stations.Find(QueueId.Of(task)) is { } load && !load.HasLimitFor(task.Spec.Slots))
                return WaitingReason.QueueLimit;
            if (_rates.OfQueue(QueueId.Of(task)) is { HasToken: false } || _rates.OfKind(task.Id.Namespace, task.Spec.Kind) is { HasToken: false })
                return WaitingReason.RateLimited;
            bool tooLarge = Array.TrueForAll(stations, station => station != _stations.Server && station.SlotsMax < task.Spec.Slots);
            return tooLarge ? WaitingReason.NoWorker : WaitingReason.PoolFull;
        }
    }

    private (int SlotsMax, int Limit) ScopeOfFill(LaneWindow lane)
    {
        lock (_lock)
            return (lane.Queue.SlotsMax, LaneWindow.TasksMax + _exclusions.Count + lane.Queue.Station.Hosts.Count);
    }
}
