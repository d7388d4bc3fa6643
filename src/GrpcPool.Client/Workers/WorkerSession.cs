using System.Threading.Channels;
using Google.Protobuf;
using GrpcPool.V1;

namespace GrpcPool.Client.Workers;

/// <summary>What outlasts the streams of a worker: what it holds, and what it has to tell. Thread-safe, but for the news, which one stream at a time reads.</summary>
internal sealed class WorkerSession(IReadOnlyDictionary<string, IWorkHandler> handlers, int slots, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ByteString, Attempt> _held = [];

    /// <summary>An attempt is in it at most twice, for what it says and for its end.</summary>
    private readonly Channel<Attempt?> _news = Channel.CreateUnbounded<Attempt?>(new UnboundedChannelOptions { SingleReader = true });
    private long _received;

    /// <summary>The attempts whose handlers have not returned, those of lost leases too.</summary>
    private int _occupied;
    private volatile bool _isDraining;
    private volatile bool _isAbandoned;

    /// <summary>The worker_id; empty for a new worker.</summary>
    public string Id { get; private set; } = "";

    public IEnumerable<string> Kinds => handlers.Keys.Order(StringComparer.Ordinal);

    public int Slots => slots;

    /// <summary>Attempts of which there is something to tell; null for anything else that is to be looked at.</summary>
    public ChannelReader<Attempt?> News => _news.Reader;

    public ReportBook Reports { get; } = new();

    /// <summary>Whether the worker takes no more.</summary>
    public bool IsDraining => _isDraining;

    /// <summary>Whether it does not even wait for what runs.</summary>
    public bool IsAbandoned => _isAbandoned;

    /// <summary>Whether nothing is held and everything told is accepted.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_lock)
                return _held.Count == 0 && Reports.IsEmpty;
        }
    }

    /// <summary>How many more attempts the worker may run; less than 0 where the pool has assigned too many.</summary>
    public int Free
    {
        get
        {
            lock (_lock)
                return slots - _occupied;
        }
    }

    /// <summary>The pool has welcomed the worker, as the one that it was or as a new one.</summary>
    public void Begin(string id)
    {
        if (id == Id)
            return;
        Id = id;
        Reports.Renumber();
        lock (_lock)
            _received = 0;
    }

    /// <summary>The former worker_id is good for nothing any more.</summary>
    public void Forget() => Id = "";

    public void Take(Assignments message)
    {
        Attempt[] attempts = [.. message.Items.Select(MakeAttempt)];
        lock (_lock)
        {
            if (message.Sequence <= _received)
                return;
            _received = message.Sequence;
            _occupied += attempts.Length;
            foreach (Attempt attempt in attempts)
                _held[attempt.Token] = attempt;
        }

        foreach (Attempt attempt in attempts)
        {
            if (_isDraining)
                attempt.Release();
            else
                ThreadPool.UnsafeQueueUserWorkItem(attempt, preferLocal: false);
        }
    }

    public void Cancel(CancelAttempt message)
    {
        if (Find(message.Lease) is { } attempt)
            attempt.Stop(message.Reason);
    }

    public void Lose(Lease lease)
    {
        Attempt? attempt;
        lock (_lock)
            _held.Remove(lease.Token, out attempt);
        attempt?.Lose("the lease is lost");
        if (_isDraining)
            Look();
    }

    public void Accept(long sequence)
    {
        bool wasFull = Reports.IsFull;
        Reports.Accept(sequence);
        if (wasFull || _isDraining)
            Look();
    }

    /// <summary>Something has changed that whoever reads the news should look at.</summary>
    public void Look() => _news.Writer.TryWrite(null);

    /// <summary>These attempts are over, and whatever is told of them is in the book.</summary>
    public void Return(List<Attempt> over)
    {
        lock (_lock)
        {
            _occupied -= over.Count;
            foreach (Attempt attempt in over)
                _held.Remove(attempt.Token);
        }
    }

    public WorkerHeartbeat Heartbeat()
    {
        lock (_lock)
            return new WorkerHeartbeat { ReceivedSequence = _received, Tokens = { _held.Keys } };
    }

    /// <summary>Takes no more, and gives back what has not begun.</summary>
    public void Drain()
    {
        _isDraining = true;
        foreach (Attempt attempt in Held())
            attempt.Release();
        Look();
    }

    /// <summary>Tells what still runs to stop: only what succeeds all the same is reported.</summary>
    public void Abandon(string reason)
    {
        _isAbandoned = true;
        foreach (Attempt attempt in Held())
            attempt.Abandon(reason);
    }

    /// <summary>Lets go of what runs even now.</summary>
    public void Drop(string reason)
    {
        Attempt[] held = Held();
        lock (_lock)
            _held.Clear();
        foreach (Attempt attempt in held)
            attempt.Lose(reason);
        Look();
    }

    /// <summary>After a drain: from now on it is a new worker.</summary>
    public void Rejoin()
    {
        Forget();
        _isDraining = false;
    }

    private Attempt MakeAttempt(Assignment assignment) =>
        new(assignment, handlers.GetValueOrDefault(assignment.Task.Kind, NoHandler.Instance), _news.Writer, time);

    private Attempt? Find(Lease lease)
    {
        lock (_lock)
            return _held.GetValueOrDefault(lease.Token);
    }

    private Attempt[] Held()
    {
        lock (_lock)
            return [.. _held.Values];
    }

    /// <summary>For a kind that the worker has not declared.</summary>
    private sealed class NoHandler : IWorkHandler
    {
        public static readonly NoHandler Instance = new();

        public ValueTask<WorkOutcome> RunAsync(WorkContext context, CancellationToken stopping) =>
            ValueTask.FromResult(WorkOutcome.Failed(FailureCode.NoHandler, $"this worker runs no tasks of the kind {context.Kind}"));
    }
}
