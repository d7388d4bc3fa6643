using GrpcPool.Core.Administration;
using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Execution;

/// <summary>What is to be done with a task that asks to come in.</summary>
internal enum AdmissionDecision
{
    Admit,

    /// <summary>There is room only if something in the commit under way does not take its own: ask again after it.</summary>
    AskAgain,

    QueueFull,

    PoolFull,

    TooManyQueues,

    TooManyNamespaces,
}

/// <summary>
/// Decides who comes in: places are counted per queue and for the whole pool. Used by the committer alone, but for the counters, which are thread-safe.
/// </summary>
internal sealed class Admission(SettingsInForce settings, TaskCounters counters)
{
    private readonly Dictionary<QueueId, Places> _queues = [];
    private Places? _last;
    private int _promisedTotal;

    /// <summary>How many of the promised queues do not exist yet, and in how many of them each namespace that does not exist yet.</summary>
    private int _newQueues;
    private readonly Dictionary<string, int> _newNamespaces = [];

    /// <summary>Decides on one task, and promises it a place where there is one.</summary>
    public AdmissionDecision Decide(NewTask task)
    {
        Places queue = PlacesIn(QueueId.Of(task));
        AdmissionDecision decision = Check(queue);
        if (decision == AdmissionDecision.Admit)
            Promise(queue);
        return decision;
    }

    /// <summary>Decides on tasks of which all or none come in, apart from those that are known already; promises them places if all are admitted.</summary>
    public AdmissionDecision[] DecideAll(IReadOnlyList<NewTask> tasks, IReadOnlyDictionary<NewTask, InsertMode> known)
    {
        bool alone = _promisedTotal == 0;
        var decisions = new AdmissionDecision[tasks.Count];
        var admitted = new List<NewTask>();
        for (int i = 0; i < decisions.Length; i++)
        {
            if (known.ContainsKey(tasks[i]))
                continue;
            decisions[i] = Decide(tasks[i]);
            if (decisions[i] == AdmissionDecision.Admit)
                admitted.Add(tasks[i]);
            else if (alone && decisions[i] == AdmissionDecision.AskAgain)
                decisions[i] = Check(PlacesIn(QueueId.Of(tasks[i])), withPromises: true);
        }

        if (!Array.TrueForAll(decisions, static decision => decision == AdmissionDecision.Admit))
            admitted.ForEach(task => TakeBack(PlacesIn(QueueId.Of(task))));
        return decisions;
    }

    /// <summary>The commit is done: the counters know what became of the promises.</summary>
    public void Settle()
    {
        _queues.Clear();
        _last = null;
        _newNamespaces.Clear();
        _promisedTotal = _newQueues = 0;
    }

    /// <summary>How many more tasks the queue could take.</summary>
    public long Room(QueueId queue)
    {
        Places places = PlacesIn(queue);
        return Math.Min(places.Capacity - places.Waiting - places.Promised, settings.Configured.Pool.Capacity - counters.Waiting - _promisedTotal);
    }

    private AdmissionDecision Check(Places queue)
    {
        AdmissionDecision without = Check(queue, withPromises: false);
        return without == AdmissionDecision.Admit && Check(queue, withPromises: true) != AdmissionDecision.Admit ? AdmissionDecision.AskAgain : without;
    }

    private AdmissionDecision Check(Places queue, bool withPromises)
    {
        int promised = withPromises ? queue.Promised : 0;
        if (!queue.Exists && promised == 0)
        {
            if (counters.Queues + (withPromises ? _newQueues : 0) >= settings.Configured.Limits.Queues)
                return AdmissionDecision.TooManyQueues;
            string @namespace = queue.Id.Namespace;
            bool newNamespace = !counters.HasNamespace(@namespace) && !(withPromises && _newNamespaces.ContainsKey(@namespace));
            if (newNamespace && counters.Namespaces + (withPromises ? _newNamespaces.Count : 0) >= settings.Configured.Limits.Namespaces)
                return AdmissionDecision.TooManyNamespaces;
        }

        if (queue.Waiting + promised >= queue.Capacity)
            return AdmissionDecision.QueueFull;
        return counters.Waiting + (withPromises ? _promisedTotal : 0) >= settings.Configured.Pool.Capacity ? AdmissionDecision.PoolFull : AdmissionDecision.Admit;
    }

    private void Promise(Places queue)
    {
        _promisedTotal++;
        if (++queue.Promised > 1 || queue.Exists)
            return;
        _newQueues++;
        CountNew(queue.Id.Namespace, 1);
    }

    private void TakeBack(Places queue)
    {
        _promisedTotal--;
        if (--queue.Promised > 0 || queue.Exists)
            return;
        _newQueues--;
        CountNew(queue.Id.Namespace, -1);
    }

    private void CountNew(string @namespace, int queues)
    {
        if (counters.HasNamespace(@namespace))
            return;
        int sum = _newNamespaces.GetValueOrDefault(@namespace) + queues;
        if (sum > 0)
            _newNamespaces[@namespace] = sum;
        else
            _newNamespaces.Remove(@namespace);
    }

    /// <summary>What is known of a queue while one commit gathers: the counters change only after it.</summary>
    private Places PlacesIn(QueueId queue)
    {
        if (_last?.Id == queue)
            return _last;
        if (!_queues.TryGetValue(queue, out Places? places))
            _queues.Add(queue, places = new Places(queue, counters.WaitingIn(queue), settings.Queue(queue.Name).Capacity));
        return _last = places;
    }

    private sealed class Places(QueueId id, long? waiting, int capacity)
    {
        public QueueId Id { get; } = id;

        public bool Exists { get; } = waiting is not null;

        public long Waiting { get; } = waiting ?? 0;

        public int Capacity { get; } = capacity;

        /// <summary>Places that the commit under way will take.</summary>
        public int Promised { get; set; }
    }
}
