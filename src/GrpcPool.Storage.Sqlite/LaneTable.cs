using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite.Engine;

namespace GrpcPool.Storage.Sqlite;

/// <summary>The lanes with the counts of their tasks, as the writer knows them: written once per commit, so that an opening store need not count.</summary>
internal sealed class LaneTable(Connection connection, LaneNames names)
{
    private const int FirstCount = 4;

    private readonly Statement _readAll = connection.PrepareFile("lane_read_all");
    private readonly Statement _write = connection.PrepareFile("lane_write");
    private readonly Statement _remove = connection.PrepareFile("lane_remove");
    private readonly Dictionary<Lane, Counts> _lanes = [];
    private readonly HashSet<Counts> _changed = [];

    /// <summary>The lane that was found last: most often the next task is of the same.</summary>
    private Counts? _last;
    private long _lastId;

    public long Finished { get; private set; }

    public IEnumerable<LaneCount> All =>
        from lane in _lanes
        from state in Enum.GetValues<TaskState>()
        let count = lane.Value.ByState[(int)state]
        where count > 0
        select new LaneCount(lane.Key, state, count, state == TaskState.Queued ? lane.Value.Ready : 0);

    /// <summary>Reads all anew: at the start, and after a commit that failed.</summary>
    public void Load()
    {
        _lanes.Clear();
        _changed.Clear();
        _last = null;
        Finished = 0;
        while (_readAll.Step())
        {
            var lane = new Lane(_readAll.Text(1), _readAll.Text(2), _readAll.Text(3));
            Counts counts = Add(lane, _readAll.Number(0));
            for (var state = TaskState.Scheduled; (int)state < TaskStates.Count; state++)
                Count(counts, state, _readAll.Number(FirstCount + (int)state - 1));
            counts.Ready = _readAll.Number(FirstCount + TaskStates.Count - 1);
        }
    }

    /// <summary>The number of a task's lane. One that is new is written at once, since tasks are also found by the names of their lanes.</summary>
    public long IdOf(Lane lane)
    {
        if (Find(lane) is { } known)
            return known.Id;
        Counts counts = Add(lane, _lastId + 1);
        Write(counts);
        return counts.Id;
    }

    /// <summary>Takes note of a change of a task; null is a task that is not, or no longer, there.</summary>
    public void Note(TaskRecord? before, TaskRecord? after)
    {
        Counts counts = Find(Lane.Of((before ?? after)!))!;
        _changed.Add(counts);
        Count(counts, before, -1);
        Count(counts, after, 1);
    }

    /// <summary>Writes the counts that have changed; lanes without a task go.</summary>
    public void Write()
    {
        foreach (Counts counts in _changed)
        {
            if (Array.TrueForAll(counts.ByState, static count => count == 0))
                Remove(counts);
            else
                Write(counts);
        }

        _changed.Clear();
    }

    private Counts? Find(Lane lane) => _last?.Lane == lane ? _last : _last = _lanes.GetValueOrDefault(lane);

    private Counts Add(Lane lane, long id)
    {
        _lastId = Math.Max(_lastId, id);
        var counts = new Counts(id, lane);
        _lanes.Add(lane, counts);
        names.Add(id, lane);
        return counts;
    }

    private void Count(Counts counts, TaskRecord? task, int step)
    {
        if (task is null)
            return;
        Count(counts, task.State, step);
        if (task.IsReady)
            counts.Ready += step;
    }

    private void Count(Counts counts, TaskState state, long step)
    {
        counts.ByState[(int)state] += step;
        if (state.IsFinal())
            Finished += step;
    }

    private void Write(Counts counts)
    {
        _write.Bind(1, counts.Id).Bind(2, counts.Lane.Namespace).Bind(3, counts.Lane.Queue).Bind(4, counts.Lane.Kind);
        for (int state = 1; state < TaskStates.Count; state++)
            _write.Bind(FirstCount + state, counts.ByState[state]);
        _write.Bind(FirstCount + TaskStates.Count, counts.Ready).Run();
    }

    private void Remove(Counts counts)
    {
        _lanes.Remove(counts.Lane);
        _last = null;
        names.Remove(counts.Id);
        _remove.Bind(1, counts.Id).Run();
    }

    private sealed class Counts(long id, Lane lane)
    {
        public long Id { get; } = id;

        public Lane Lane { get; } = lane;

        public long[] ByState { get; } = new long[TaskStates.Count];

        public long Ready { get; set; }
    }
}
