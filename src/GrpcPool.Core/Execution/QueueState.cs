using GrpcPool.Core.Administration;
using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Execution;

/// <summary>What runs of one queue, wherever: its limit counts all of it. Guarded by the dispatcher's lock.</summary>
/// <param name="id">Which queue.</param>
/// <param name="rules">What holds for it.</param>
/// <param name="namespaceWeight">The weight of its namespace.</param>
/// <param name="rates">The rates of all.</param>
internal sealed class QueueLoad(QueueId id, QueueRules rules, int namespaceWeight, RateLimits rates)
{
    public QueueId Id { get; } = id;

    /// <summary>What holds for it now.</summary>
    public QueueRules Rules { get; set; } = rules;

    public int Weight => Rules.Weight;

    public int NamespaceWeight => namespaceWeight;

    public int? Limit => Rules.Limit;

    /// <summary>The slots that its running tasks take.</summary>
    public int Running { get; set; }

    /// <summary>The queue as each station sees it that can run something of it.</summary>
    public List<QueueState> States { get; } = [];

    /// <summary>The rates of the kinds in it.</summary>
    public RateLimits Rates { get; } = rates;

    /// <summary>The queue's own rate; null for none.</summary>
    public TokenBucket? Bucket { get; } = rates.OfQueue(id);

    /// <summary>Whether anything of it may start now, if there is room.</summary>
    public bool IsOpen => !Rules.Paused && Bucket is not { HasToken: false };

    /// <summary>The queue as a station sees it; null where it does not yet. They are few, and looked through faster than looked up.</summary>
    public QueueState? StateAt(Station station)
    {
        foreach (QueueState state in States)
        {
            if (state.Station == station)
                return state;
        }

        return null;
    }

    public bool HasLimitFor(int slots) => Running + slots <= (Limit ?? int.MaxValue);

    public bool MayStart(int slots, TokenBucket? kind) => IsOpen && HasLimitFor(slots) && kind is not { HasToken: false };
}

/// <summary>One queue as one station sees it. Guarded by the dispatcher's lock.</summary>
internal sealed class QueueState(QueueLoad load, Station station, NamespaceState @namespace, long ordinal) : Turn(ordinal)
{
    /// <summary>A queue has few kinds: they are looked through faster than looked up.</summary>
    private readonly List<LaneWindow> _lanes = [];

    public QueueLoad Load { get; } = load;

    public Station Station { get; } = station;

    /// <summary>Its namespace as the same station sees it.</summary>
    public NamespaceState Namespace { get; } = @namespace;

    public override int Weight => Load.Weight;

    /// <summary>Tasks with more slots than this cannot run here now and are in nobody's way.</summary>
    public int SlotsMax => Math.Min(Station.SlotsMax, Load.Limit ?? int.MaxValue);

    public bool IsEmpty => _lanes.TrueForAll(static lane => lane.IsEmpty);

    public LaneWindow? LaneToFill => _lanes.Find(static lane => lane.NeedsFilling && lane.IsOpen);

    /// <summary>Whether nobody stands before a newcomer.</summary>
    public bool HasNothingReady => LaneToFill is null && Head() is null;

    public LaneWindow Lane(string kind)
    {
        if (Find(kind) is { } known)
            return known;
        var lane = new LaneWindow(new Lane(Load.Id.Namespace, Load.Id.Name, kind), this);
        _lanes.Add(lane);
        return lane;
    }

    public void Add(ReadyTask task)
    {
        if (task.Slots <= SlotsMax)
            Lane(task.Kind).Add(task);
    }

    public void Remove(ReadyTask task) => Find(task.Kind)?.Remove(task);

    public void Reset()
    {
        foreach (LaneWindow lane in _lanes)
            lane.Reset();
    }

    /// <summary>The task that starts next in this queue: the first of all its lanes, but for kinds that their rate holds up.</summary>
    public ReadyTask? Head()
    {
        ReadyTask? head = null;
        foreach (LaneWindow lane in _lanes)
        {
            if (lane.First is { } first && lane.IsOpen && (head is null || first.CompareTo(head) < 0))
                head = first;
        }

        return head;
    }

    private LaneWindow? Find(string kind)
    {
        foreach (LaneWindow lane in _lanes)
        {
            if (lane.Lane.Kind == kind)
                return lane;
        }

        return null;
    }
}
