using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Maintenance;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Workers;

/// <summary>The workers that are connected, or have just been, and the kinds that workers have ever declared. Thread-safe.</summary>
internal sealed class WorkerRegistry(
    GrpcPoolOptions options, GuardedStore store, TaskCounters counters, Dispatcher dispatcher, LeaseBook leases, TimeProvider time, ILogger log) : IDisposable
{
    /// <summary>How many workers there are at most.</summary>
    public const int WorkersMax = 10_000;

    /// <summary>How many kinds workers may declare, in all namespaces together: they stay known.</summary>
    public const int KindsMax = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, WorkerSession> _sessions = [];
    private readonly ConcurrentDictionary<DeclaredKind, bool> _kinds = new();
    private Committer _committer = null!;
    private LeaseReaper? _reaper;
    private bool _draining;

    public TimeProvider Time { get; } = time;

    public Dispatcher Dispatcher { get; } = dispatcher;

    public LeaseBook Leases { get; } = leases;

    public WorkerOptions Options { get; } = options.Workers;

    /// <summary>Workers want commits, and somebody who looks after them.</summary>
    public void Attach(Committer committer)
    {
        _committer = committer;
        _reaper = new LeaseReaper(this);
    }

    /// <summary>Takes note of a lease that a former process gave.</summary>
    public void Adopted() => _reaper!.Wake();

    /// <summary>Takes note of the kinds that a store knows.</summary>
    public void Load(IEnumerable<DeclaredKind> kinds)
    {
        foreach (DeclaredKind kind in kinds)
            _kinds[kind] = true;
    }

    public bool Knows(string @namespace, string kind) => _kinds.ContainsKey(new DeclaredKind(@namespace, kind));

    public IEnumerable<string> KindsOf(string @namespace) => _kinds.Keys.Where(kind => kind.Namespace == @namespace).Select(static kind => kind.Kind);

    /// <summary>A worker comes, or comes back.</summary>
    /// <exception cref="WorkerException">There are too many, or it comes back as somebody else.</exception>
    /// <exception cref="PoolClosedException">The pool drains, and the worker is new.</exception>
    public async Task<WorkerStream> ConnectAsync(WorkerHello hello, string resumeId)
    {
        if (TryResume(hello, resumeId) is { } resumed)
            return resumed;
        await DeclareAsync(hello).ConfigureAwait(false);
        var session = new WorkerSession(Guid.CreateVersion7(Time.GetUtcNow()).ToString("N"), hello, this);
        lock (_lock)
        {
            if (_draining)
                throw new PoolClosedException();
            if (_sessions.Count >= WorkersMax)
                throw new WorkerException(WorkerFault.TooMany, $"there are {WorkersMax} workers already");
            _sessions.Add(session.Id, session);
        }

        _reaper!.Wake();
        WorkerStream stream = session.Attach();
        Dispatcher.Join(session.Host, hello.Namespace, hello.Kinds, counters.QueuedLanes);
        Log.WorkerJoined(log, hello.Name, session.Id, hello.Slots, hello.Kinds);
        return stream;
    }

    /// <summary>A worker's stream has ended.</summary>
    public void Disconnect(WorkerStream stream)
    {
        stream.Session.Detach(stream);
        stream.Dispose();
        Reap(stream.Session);
    }

    /// <summary>Gives up whoever has been away or silent for too long, and revokes the leases that nobody has renewed. False where there is nobody to look after.</summary>
    public bool Reap()
    {
        bool any = false;
        foreach (WorkerSession session in Snapshot())
            Reap(session);
        foreach (Assignment lease in Leases.All.OfType<Assignment>())
        {
            any = true;
            if (lease.IsExpired(Time, Options.LeaseDuration))
                lease.Revoke();
        }

        lock (_lock)
            return any || _sessions.Count > 0;
    }

    /// <summary>Tells all workers to finish and leave; no new one comes in.</summary>
    public void Drain()
    {
        lock (_lock)
            _draining = true;
        foreach (WorkerSession session in Snapshot())
            session.AskToDrain();
    }

    /// <summary>The workers of these names.</summary>
    public IEnumerable<WorkerSession> Named(IReadOnlySet<string> names) => Snapshot().Where(session => names.Contains(session.Hello.Name));

    public void Dispose() => _reaper?.Dispose();

    public void Nudge() => _committer.Nudge();

    /// <summary>A worker has reported on what it does not hold.</summary>
    public void Fenced() => _committer.Metrics.Fenced();

    /// <summary>How many workers there are, and their slots together.</summary>
    public (int Count, long Slots) Sizes
    {
        get
        {
            lock (_lock)
                return (_sessions.Count, _sessions.Values.Sum(static session => (long)session.Hello.Slots));
        }
    }

    /// <summary>Whether it was the holder of this lease who made the newest ending of an attempt.</summary>
    public async ValueTask<bool> WasEndedByAsync(TaskId id, LeaseToken token) => (await store.FindAsync(id).ConfigureAwait(false))?.Lease?.EndedBy == token;

    /// <summary>Gives a worker the lease that it holds since a former process of the pool.</summary>
    public bool TryAdopt(LeaseToken token, WorkerSession session, [NotNullWhen(true)] out Assignment? orphan)
    {
        orphan = Leases.Find(token) as Assignment;
        return orphan is { IsOrphan: true } && orphan.Id.Namespace == session.Hello.Namespace && orphan.TryBelongTo(session);
    }

    /// <summary>The workers of a namespace, in the order of their ids: the first come stand first.</summary>
    public IReadOnlyList<WorkerState> List(string @namespace) =>
        [.. Snapshot().Where(session => session.Hello.Namespace == @namespace).OrderBy(static session => session.Id, StringComparer.Ordinal).Select(static session => session.Describe())];

    public WorkerSession? Find(string @namespace, string id)
    {
        lock (_lock)
            return _sessions.GetValueOrDefault(id) is { } session && session.Hello.Namespace == @namespace ? session : null;
    }

    private WorkerStream? TryResume(WorkerHello hello, string id)
    {
        WorkerSession? session;
        lock (_lock)
            session = _sessions.GetValueOrDefault(id);
        if (session is null || session.Hello.Namespace != hello.Namespace || session.Hello.Token != hello.Token)
            return null;
        if (!session.Hello.Kinds.SetEquals(hello.Kinds) || session.Hello.Slots != hello.Slots)
            throw new WorkerException(WorkerFault.Changed, "a worker that resumes has the kinds and the slots that it had: leave resume_worker_id out");
        return session.Attach();
    }

    private async Task DeclareAsync(WorkerHello hello)
    {
        DeclaredKind[] unknown = [.. hello.Kinds.Select(kind => new DeclaredKind(hello.Namespace, kind)).Where(kind => !_kinds.ContainsKey(kind))];
        if (unknown.Length == 0)
            return;
        if (_kinds.Count + unknown.Length > KindsMax)
            throw new WorkerException(WorkerFault.TooMany, $"workers have declared {_kinds.Count} kinds, and {KindsMax} is the most");
        await _committer.CommitAsync(new DeclareKinds(unknown)).ConfigureAwait(false);
        Load(unknown);
    }

    private void Reap(WorkerSession session)
    {
        if (!session.IsOver(Options.LeaseDuration, Options.ResumeGrace) || !session.TryClose())
            return;
        lock (_lock)
            _sessions.Remove(session.Id);
        Dispatcher.Leave(session.Host);
        Log.WorkerLeft(log, session.Hello.Name, session.Id);
        Nudge();
    }

    private WorkerSession[] Snapshot()
    {
        lock (_lock)
            return [.. _sessions.Values];
    }
}
