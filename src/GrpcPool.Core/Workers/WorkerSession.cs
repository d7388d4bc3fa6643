using GrpcPool.Core.Execution;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Workers;

/// <summary>One worker, over the streams by which it comes: what it holds, and what it is to be told. Thread-safe; whatever it harms is its own.</summary>
internal sealed class WorkerSession : ITaskHandler
{
    /// <summary>How many assignments a worker lets come at most.</summary>
    public const int CreditMax = 10_000;

    /// <summary>How many bytes of payload wait to be sent before nothing more is assigned.</summary>
    private const int UnsentBytesMax = 4 << 20;

    /// <summary>How many messages and notices wait for one another at most: more is a flood.</summary>
    private const int BacklogMax = 65_536;

    private readonly Lock _lock = new();
    private readonly WorkerRegistry _workers;
    private readonly Dictionary<long, Assignment> _held = [];
    private readonly Queue<PendingReports> _pending = [];
    private List<Assignment> _unsent = [];
    private List<StopNotice> _stops = [];
    private List<LeaseName> _lost = [];
    private TaskCompletionSource _news = NewSignal();
    private WorkerStream? _stream;
    private int _streams;
    private long _unsentBytes;
    private long _sent;
    private long _received;
    private long _accepted;
    private long _told;
    private long _heartbeats;
    private long _heardAt;
    private long _brokenAt;
    private bool _drain;
    private bool _leaving;
    private bool _closed;

    public WorkerSession(string id, WorkerHello hello, WorkerRegistry workers)
    {
        (Id, Hello, _workers) = (id, hello, workers);
        Host = new AttemptHost(hello.Slots, hello.Name, new HandlerEntry(this, RunTimeout: null, HandlerRegistry.DefaultKillAfter) { HandsOver = true });
    }

    public string Id { get; }

    public WorkerHello Hello { get; }

    public AttemptHost Host { get; }

    /// <summary>A stream begins, in the place of the one before.</summary>
    public WorkerStream Attach()
    {
        WorkerStream? former;
        WorkerStream stream;
        lock (_lock)
        {
            former = _stream;
            _stream = stream = new WorkerStream(this, ++_streams);
            _heardAt = _workers.Time.GetTimestamp();
            _told = 0;
            _leaving = false;
        }

        former?.End(WorkerFault.Replaced, "another stream has resumed this worker");
        _workers.Dispatcher.StopCredit(Host);
        return stream;
    }

    /// <summary>A stream has ended. The worker may come back within the grace.</summary>
    public void Detach(WorkerStream stream)
    {
        lock (_lock)
        {
            if (_stream != stream)
                return;
            _stream = null;
            _brokenAt = _workers.Time.GetTimestamp();
        }

        _workers.Dispatcher.StopCredit(Host);
    }

    /// <summary>Looks how long the worker has been away or silent. True where it is to be given up.</summary>
    public bool IsOver(TimeSpan leaseDuration, TimeSpan grace)
    {
        WorkerStream? silent = null;
        bool over = false;
        lock (_lock)
        {
            if (_stream is null)
                over = (_leaving && _held.Count == 0 && _pending.Count == 0) || _workers.Time.GetElapsedTime(_brokenAt) >= grace;
            else if (_workers.Time.GetElapsedTime(_heardAt) >= leaseDuration)
                silent = _stream;
        }

        silent?.End(WorkerFault.Silent, $"the worker was not heard for {leaseDuration:c}");
        return over;
    }

    /// <summary>The worker does not come back: what it held is lost, what it never got is not. False where it is back already.</summary>
    public bool TryClose()
    {
        Assignment[] unsent, held;
        lock (_lock)
        {
            if (_stream is not null)
                return false;
            _closed = true;
            unsent = [.. _unsent];
            held = [.. _held.Values];
            _unsent.Clear();
        }

        foreach (Assignment assignment in unsent)
            assignment.End(TaskOutcome.Released(began: false));
        foreach (Assignment assignment in held)
            assignment.End(TaskOutcome.Lost());
        return true;
    }

    /// <summary>An attempt starts here: it is a lease from now on.</summary>
    public ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping)
    {
        var attempt = (AttemptContext)context;
        var assignment = new Assignment(attempt.Task.Id, attempt.Task.Attempt, new LeaseToken(attempt.Task.Claim, attempt.Nonce), _workers.Leases);
        assignment.TryBelongTo(this);
        assignment.Renew(_workers.Time.GetTimestamp());
        assignment.Take(attempt);
        _workers.Leases.Open(assignment);
        lock (_lock)
        {
            if (_closed || stopping.IsCancellationRequested)
                return ValueTask.FromResult(TaskOutcome.Released(began: false));
            _held.Add(assignment.Token.Claim, assignment);
            _unsent.Add(assignment);
            _unsentBytes += attempt.Task.Spec.Payload.Length;
            Host.IsBlocked = _unsentBytes > UnsentBytesMax;
            Signal_NeedsLock();
        }

        return new ValueTask<TaskOutcome>(assignment.Outcome);
    }

    /// <summary>Waits for what the worker is to be told; null when it has left.</summary>
    public async ValueTask<WorkerMail?> NextMailAsync(WorkerStream stream, CancellationToken cancellation)
    {
        while (true)
        {
            Task news;
            lock (_lock)
            {
                if (TakeMail_NeedsLock(stream) is { } mail)
                    return mail;
                if (_leaving && _pending.Count == 0)
                    return null;
                news = _news.Task;
            }

            await news.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Numbers a message of assignments that is about to be sent.</summary>
    public long Number(IEnumerable<Assignment> message)
    {
        lock (_lock)
        {
            long sequence = ++_sent;
            foreach (Assignment assignment in message)
                assignment.Sequence = sequence;
            return sequence;
        }
    }

    public void AddCredit(int credit)
    {
        Hear();
        _workers.Dispatcher.AddCredit(Host, credit, CreditMax);
        _workers.Nudge();
    }

    /// <summary>The worker takes no more.</summary>
    public void Drain()
    {
        Hear();
        _workers.Dispatcher.StopCredit(Host);
    }

    /// <summary>The worker has closed its side: what it has reported is still answered.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            _leaving = true;
            Signal_NeedsLock();
        }
    }

    /// <summary>The worker shall finish and leave.</summary>
    public void AskToDrain()
    {
        lock (_lock)
        {
            _drain = true;
            Signal_NeedsLock();
        }
    }

    /// <exception cref="WorkerException">It says that it received what was not sent.</exception>
    public void Heartbeat(long received, IEnumerable<LeaseToken?> tokens)
    {
        Hear();
        var ended = new List<(Assignment Assignment, TaskOutcome Outcome)>();
        lock (_lock)
        {
            if (received < 0 || received > _sent)
                throw new WorkerException(WorkerFault.Protocol, $"received_sequence is {received}, while the last assignments were {_sent}");
            long number = ++_heartbeats;
            foreach (LeaseToken? token in tokens)
            {
                if (token is not { } shown || Find_NeedsLock(shown) is not { } held)
                {
                    AddLost_NeedsLock(new LeaseName("", 0, token?.ToBytes() ?? []));
                    continue;
                }

                held.NamedBy = number;
                held.Renew(_heardAt);
            }

            foreach (Assignment held in _held.Values.Where(held => held.NamedBy != number && !held.IsReported))
            {
                if (held.Sequence != 0 && held.Sequence <= received)
                    ended.Add((held, TaskOutcome.Lost()));
                else if (held.Stream != 0 && held.Stream < _streams)
                    ended.Add((held, TaskOutcome.Released(began: false))); // Lost on its way, on the stream before.
            }

            if (_lost.Count > 0)
                Signal_NeedsLock();
        }

        foreach ((Assignment assignment, TaskOutcome outcome) in ended)
            End(assignment, outcome);
    }

    /// <summary>Takes reports in. A message that came before changes nothing.</summary>
    /// <exception cref="WorkerException">Its number is not the next.</exception>
    public async ValueTask ReportAsync(long sequence, IReadOnlyList<LeaseReport> reports)
    {
        Hear();
        if (Begin(sequence) is not { } pending)
            return;
        foreach (LeaseReport report in reports)
        {
            if (report.Token is { } token && Find(token) is { } held)
                Apply(report, held, pending);
            else if (report.Outcome is null || report.Token is not { } former || !await _workers.WasEndedByAsync(new TaskId(Hello.Namespace, report.TaskId), former).ConfigureAwait(false))
                Lose(report);
        }

        lock (_lock)
            Settle_NeedsLock(pending);
    }

    /// <summary>An attempt is to stop: one that was not sent need not begin.</summary>
    public void Stop(Assignment assignment, StopReason reason, TimeSpan grace)
    {
        bool unsent;
        lock (_lock)
        {
            unsent = _unsent.Remove(assignment);
            if (!unsent && _held.ContainsKey(assignment.Token.Claim))
                _stops.Add(new StopNotice(LeaseName.Of(assignment), reason, grace));
            Signal_NeedsLock();
        }

        if (unsent)
            End(assignment, TaskOutcome.Released(began: false));
    }

    /// <summary>A lease ends, and the worker hears of it.</summary>
    public void Revoke(Assignment assignment) => End(assignment, TaskOutcome.Lost());

    /// <summary>An attempt's ending is committed.</summary>
    public void Forget(Assignment assignment)
    {
        lock (_lock)
        {
            _held.Remove(assignment.Token.Claim);
            if (assignment.ReportedBy is { } pending)
                Settle_NeedsLock(pending);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Hear()
    {
        lock (_lock)
            _heardAt = _workers.Time.GetTimestamp();
    }

    private void End(Assignment assignment, TaskOutcome outcome)
    {
        lock (_lock)
        {
            if (assignment.IsReported || !_held.Remove(assignment.Token.Claim))
                return;
            _unsent.Remove(assignment);
            if (assignment.Stream != 0)
                _lost.Add(LeaseName.Of(assignment));
            Signal_NeedsLock();
        }

        _workers.Leases.Close(assignment.Token);
        assignment.End(outcome);
    }

    private PendingReports? Begin(long sequence)
    {
        lock (_lock)
        {
            if (sequence < 1 || sequence > _received + 1)
                throw new WorkerException(WorkerFault.Protocol, $"the reports have the sequence {sequence}, and {_received + 1} is the next");
            if (sequence <= _received)
            {
                // Sent again: what is accepted already is said again.
                _told = 0;
                Signal_NeedsLock();
                return null;
            }

            if (_pending.Count >= BacklogMax)
                throw new WorkerException(WorkerFault.Protocol, $"{BacklogMax} messages of reports wait to be accepted: wait for that");
            _received = sequence;
            var pending = new PendingReports(sequence);
            _pending.Enqueue(pending);
            return pending;
        }
    }

    private void Apply(LeaseReport report, Assignment held, PendingReports pending)
    {
        if (report.Progress is { } progress)
            held.Context!.ReportProgress(progress.Fraction, progress.Message);
        if (!report.Log.IsEmpty)
            held.Context!.WriteLog(report.Log.Span);
        if (report.Outcome is null)
            return;
        lock (_lock)
        {
            if (held.IsReported || !_held.ContainsKey(held.Token.Claim))
                return;
            held.ReportedBy = pending;
            pending.Open++;
            held.Report(report.Outcome);
        }
    }

    private void Lose(LeaseReport report)
    {
        lock (_lock)
        {
            AddLost_NeedsLock(new LeaseName(report.TaskId, report.Attempt, report.Token?.ToBytes() ?? []));
            Signal_NeedsLock();
        }
    }

    private void AddLost_NeedsLock(LeaseName lease)
    {
        if (_lost.Count >= BacklogMax)
            throw new WorkerException(WorkerFault.Protocol, "too many leases are named that are not the worker's, and what is said of them is not read");
        _lost.Add(lease);
    }

    private Assignment? Find(LeaseToken token)
    {
        lock (_lock)
            return Find_NeedsLock(token);
    }

    /// <summary>One of its own, or one that a former process of the pool gave it.</summary>
    private Assignment? Find_NeedsLock(LeaseToken token)
    {
        if (_held.TryGetValue(token.Claim, out Assignment? held))
            return held.Token == token ? held : null;
        if (!_workers.TryAdopt(token, this, out Assignment? orphan))
            return null;
        orphan.Renew(_heardAt);
        _held.Add(token.Claim, orphan);
        return orphan;
    }

    private WorkerMail? TakeMail_NeedsLock(WorkerStream stream)
    {
        if (_stream != stream)
            return null;
        long? accepted = _accepted > _told ? _accepted : null;
        if (_unsent.Count == 0 && accepted is null && _stops.Count == 0 && _lost.Count == 0 && !_drain)
            return null;
        foreach (Assignment assignment in _unsent)
            assignment.Stream = stream.Number;
        var mail = new WorkerMail(_unsent, accepted, _stops, _lost, _drain);
        (_unsent, _stops, _lost, _drain, _told, _unsentBytes) = ([], [], [], false, _accepted, 0);
        if (Host.IsBlocked)
        {
            Host.IsBlocked = false;
            _workers.Nudge();
        }

        return mail;
    }

    private void Settle_NeedsLock(PendingReports done)
    {
        done.Open--;
        while (_pending.TryPeek(out PendingReports? first) && first.Open == 0)
            _accepted = _pending.Dequeue().Sequence;
        Signal_NeedsLock();
    }

    private void Signal_NeedsLock()
    {
        if (_news.Task.IsCompleted)
            return;
        _news.TrySetResult();
        _news = NewSignal();
    }
}
