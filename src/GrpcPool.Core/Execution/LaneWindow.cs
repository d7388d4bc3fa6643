using System.Diagnostics;
using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Execution;

/// <summary>The first ready tasks of a lane, a bounded number; the rest is in the store. Guarded by the dispatcher's lock.</summary>
internal sealed class LaneWindow(Lane lane, QueueState queue)
{
    /// <summary>How many tasks a window holds: enough for the starts of many commits, little enough for many lanes.</summary>
    public const int TasksMax = 1024;

    private static readonly Comparer<ReadyTask> Reverse = Comparer<ReadyTask>.Create(static (a, b) => b.CompareTo(a));

    /// <summary>The last to start first: the one that starts next leaves most often, and from the end it does so without moving the others.</summary>
    private readonly List<ReadyTask> _tasks = [];

    /// <summary>Whether the store has no more than this.</summary>
    private bool _complete = true;

    public Lane Lane { get; } = lane;

    public QueueState Queue { get; } = queue;

    /// <summary>The rate of its kind; null for none.</summary>
    public TokenBucket? Bucket { get; } = queue.Load.Rates.OfKind(lane.Namespace, lane.Kind);

    /// <summary>Whether its kind's rate lets something start now.</summary>
    public bool IsOpen => Bucket is not { HasToken: false };

    public ReadyTask? First => _tasks.Count == 0 ? null : _tasks[^1];

    /// <summary>Whether the first task is unknown until the window is filled from the store.</summary>
    public bool NeedsFilling => !_complete && _tasks.Count == 0;

    public bool IsEmpty => _complete && _tasks.Count == 0;

    public void Add(ReadyTask task)
    {
        bool beyond = !_complete && (_tasks.Count == 0 || task.CompareTo(_tasks[0]) > 0);
        if (beyond || _tasks.BinarySearch(task, Reverse) is not (< 0 and var place))
            return;
        _tasks.Insert(~place, task);
        if (_tasks.Count <= TasksMax)
            return;
        _tasks.RemoveAt(0);
        _complete = false;
    }

    public void Remove(ReadyTask task)
    {
        int place = ReferenceEquals(task, First) ? _tasks.Count - 1 : _tasks.BinarySearch(task, Reverse);
        if (place >= 0)
            _tasks.RemoveAt(place);
    }

    /// <summary>Takes what the store has for an empty window.</summary>
    public void Fill(IEnumerable<ReadyTask> first, bool complete)
    {
        Debug.Assert(_tasks.Count == 0, "what is not complete takes nothing in while it is empty");
        _tasks.AddRange(first.Reverse());
        _complete = complete;
    }

    /// <summary>Forgets what it knows: the store knows better.</summary>
    public void Reset()
    {
        _tasks.Clear();
        _complete = false;
    }
}
