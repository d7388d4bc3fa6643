using GrpcPool.Core.Execution;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Workers;

/// <summary>One worker, over the streams by which it comes: what it holds, and what it is to be told. Thread-safe; whatever it harms is its own.</summary>
internal sealed class WorkerSession : ITaskHandler
{
    /// <summary>How many assignments a worker lets come at most.</summary>
    public const int CreditMax = 10_000;

    /// <summary>How many messages and notices wait for one another at most: more is a flood.</summary>
    internal const int BacklogMax = 65_536;

    private readonly Lock _lock = new();
    private readonly WorkerRegistry _workers;
    private readonly HeldLeases _held;
    private readonly Mailbox _mail = new();
    private readonly ReportBook _reports = new();
    private readonly DateTimeOffset _since;
    private WorkerStream? _stream;
    private int _streams;
    private long _sent;
    private long _heardAt;
    private long _brokenAt;
    private long _ended;
    private volatile bool _takesNoMore;
    private bool _leaving;
    private bool _closed;

    public WorkerSession(string id, WorkerHello hello, WorkerRegistry workers)
    {
        (Id, Hello, _workers) = (id, hello, workers);
        _since = workers.Time.GetUtcNow();
        _held = new HeldLeases(this, workers);
        Host = new AttemptHost(hello.Slots, hello.Name, new HandlerEntry(this, RunTimeout: null, HandlerRegistry.DefaultKillAfter) { HandsOver = true });
    }

    public string Id { get; }

    public WorkerHello Hello { get; }

    public AttemptHost Host { get; }

    /// <summary>What it does now, and has done.</summary>
    public WorkerLoad Load
    {
        get
        {
            lock (_lock)
                return new WorkerLoad(Hello, _held.Count, _ended);
        }
    }

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
            _reports.TellAgain();
            _leaving = false;
            if (Host.IsRetired)
                _mail.AddDrain();
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
                over = (_leaving && _held.Count == 0 && _reports.IsSettled) || _workers.Time.GetElapsedTime(_brokenAt) >= grace;
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
            unsent = _mail.Withdraw();
            held = [.. _held.All];
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
            _held.Add(assignment);
            _mail.Add(assignment, attempt.Task.Spec.Payload.Length);
            Host.IsBlocked = _mail.IsFull;
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
                if (_leaving && _reports.IsSettled)
                    return null;
                news = _mail.News;
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
        _takesNoMore = false;
        _workers.Dispatcher.AddCredit(Host, credit, CreditMax);
        _workers.Nudge();
    }

    /// <summary>The worker takes no more.</summary>
    public void Drain()
    {
        Hear();
        _takesNoMore = true;
        _workers.Dispatcher.StopCredit(Host);
    }

    /// <summary>The worker has closed its side: what it has reported is still answered.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            _leaving = true;
            _mail.Signal();
        }
    }

    /// <summary>The worker shall finish and leave, and gets nothing more.</summary>
    public void AskToDrain()
    {
        _workers.Dispatcher.Retire(Host);
        lock (_lock)
            _mail.AddDrain();
    }

    /// <summary>How it fares.</summary>
    public WorkerState Describe()
    {
        int used = _workers.Dispatcher.SlotsUsedBy(Host);
        lock (_lock)
            return new WorkerState(Id, Hello, used, _since, _workers.Time.GetUtcNow() - _workers.Time.GetElapsedTime(_heardAt), _stream is not null, Host.IsRetired || _takesNoMore);
    }

    /// <exception cref="WorkerException">It says that it received what was not sent.</exception>
    public void Heartbeat(long received, IEnumerable<LeaseToken?> tokens)
    {
        Hear();
        List<(Assignment Assignment, TaskOutcome Outcome)> ended;
        lock (_lock)
        {
            if (received < 0 || received > _sent)
                throw new WorkerException(WorkerFault.Protocol, $"received_sequence is {received}, while the last assignments were {_sent}");
            ended = _held.Renew(tokens, received, _streams, _heardAt, token => _mail.AddStrange(new LeaseName("", 0, token?.ToBytes() ?? [])));
            _mail.Signal();
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
            unsent = _mail.TryWithdraw(assignment);
            if (!unsent && _held.Has(assignment))
                _mail.Add(new StopNotice(LeaseName.Of(assignment), reason, grace));
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
            _held.Remove(assignment);
            _ended++;
            if (assignment.ReportedBy is { } pending)
                Settle_NeedsLock(pending);
        }
    }

    private void Hear()
    {
        lock (_lock)
            _heardAt = _workers.Time.GetTimestamp();
    }

    private void End(Assignment assignment, TaskOutcome outcome)
    {
        lock (_lock)
        {
            if (assignment.IsReported || !_held.Remove(assignment))
                return;
            _mail.TryWithdraw(assignment);
            if (assignment.Stream != 0)
                _mail.AddLost(LeaseName.Of(assignment));
        }

        _workers.Leases.Close(assignment.Token);
        assignment.End(outcome);
    }

    private PendingReports? Begin(long sequence)
    {
        lock (_lock)
        {
            PendingReports? begun = _reports.Begin(sequence);
            if (begun is null)
                _mail.Signal();
            return begun;
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
            if (held.IsReported || !_held.Has(held))
                return;
            held.ReportedBy = pending;
            pending.Open++;
            held.BeginReport();
        }

        held.Report(report.Outcome);
    }

    private void Lose(LeaseReport report)
    {
        _workers.Fenced();
        lock (_lock)
            _mail.AddStrange(new LeaseName(report.TaskId, report.Attempt, report.Token?.ToBytes() ?? []));
    }

    private Assignment? Find(LeaseToken token)
    {
        lock (_lock)
            return _held.Find(token, _heardAt);
    }

    private WorkerMail? TakeMail_NeedsLock(WorkerStream stream)
    {
        if (_stream != stream || _mail.Take(stream, _reports.News, withAssignments: !_held.IsInDoubt(_streams)) is not { } mail)
            return null;
        _reports.Told();
        if (Host.IsBlocked)
        {
            Host.IsBlocked = false;
            _workers.Nudge();
        }

        return mail;
    }

    private void Settle_NeedsLock(PendingReports done)
    {
        _reports.Settle(done);
        _mail.Signal();
    }
}
