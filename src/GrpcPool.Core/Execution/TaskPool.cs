using System.Runtime.CompilerServices;
using GrpcPool.Core.Administration;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Maintenance;
using GrpcPool.Core.Schedules;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Watching;
using GrpcPool.Core.Workers;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Execution;

/// <summary>The front door: everything that can be asked of the pool. Thread-safe.</summary>
internal sealed class TaskPool : IAsyncDisposable
{
    /// <summary>How far a queue is counted for a position.</summary>
    public const int QueuePositionMax = 10_000;

    private readonly GrpcPoolOptions _options;
    private readonly GuardedStore _store;
    private readonly HandlerRegistry _handlers;
    private readonly MemoryGuard? _memory;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly WaitingRoom _waitingRoom;
    private readonly ScheduleTrigger _trigger;
    private readonly Dispatcher _dispatcher;
    private readonly SubmissionGate _gate;
    private readonly WatchHub _hub;
    private readonly Executor _executor;
    private readonly Committer _committer;
    private readonly LeaseBook _leases = new();
    private readonly Lock _drainLock = new();
    private readonly TaskCompletionSource _drainBegan = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DueTaskPromoter? _promoter;
    private RateWaker? _rateWaker;
    private Task? _drain;
    private volatile PoolPhase _phase;

    public TaskPool(GrpcPoolOptions options, ITaskStore store, HandlerRegistry handlers, TimeProvider time, ILogger<TaskPool> log, MemoryGuard? memory = null)
    {
        (_options, _store, _handlers, _time, _log) = (options, new GuardedStore(store, time, log), handlers, time, log);
        _memory = memory;
        _waitingRoom = new WaitingRoom(options.Limits.Waiters);
        Settings = new SettingsInForce(options);
        _dispatcher = new Dispatcher(Settings, handlers, time);
        var admission = new Admission(Settings, Counters);
        _trigger = new ScheduleTrigger(admission.Room, () => _store.Trouble is null && _memory?.IsShort != true);
        _gate = new SubmissionGate(Settings, admission, _waitingRoom, _dispatcher, _store, time);
        _hub = new WatchHub(_store, options.Limits, time);
        _executor = new Executor(options, handlers, _dispatcher, _leases, _hub.Publish, Metrics, time, log);
        _committer = new Committer(_store, _gate, Counters, _dispatcher, _executor, _hub, time, log);
        _executor.Attach(_committer);
        Workers = new WorkerRegistry(options, _store, Counters, _dispatcher, _leases, time, log);
        Workers.Attach(_committer);
        Schedules = new ScheduleBook(this, _store);
        _ = new PoolGauges(this, _gate, _hub, _store);
    }

    public PoolPhase Phase => _phase;

    /// <summary>Since when it is open.</summary>
    public DateTimeOffset OpenedAt { get; private set; }

    /// <summary>Why no new task is taken now; null where they are.</summary>
    public string? NotReady => _phase != PoolPhase.Open ? $"the pool is {_phase}" : _store.Trouble is { } trouble ? $"the store is in trouble: {trouble.Message}" : null;

    /// <summary>Ends when the store's trouble begins, ends, or becomes another, and when the pool begins to drain.</summary>
    public Task ReadinessChanged => _drainBegan.Task.IsCompleted ? _store.Changed : Task.WhenAny(_store.Changed, _drainBegan.Task);

    /// <summary>Fires when the pool begins to drain.</summary>
    public CancellationToken Draining => _hub.Draining;

    /// <summary>Fires when the pool has drained.</summary>
    public CancellationToken Closed => _hub.Closing;

    /// <summary>The workers, and what they hold.</summary>
    public WorkerRegistry Workers { get; }

    public ScheduleBook Schedules { get; }

    public PoolMetrics Metrics { get; } = new();

    /// <summary>Whether somebody runs the tasks of a kind, or once did.</summary>
    public bool Knows(string @namespace, string kind) => _handlers.CanRun(kind) || Workers.Knows(@namespace, kind);

    /// <summary>The kinds that are known in a namespace.</summary>
    public IEnumerable<string> KindsOf(string @namespace) => _handlers.Kinds.Union(Workers.KindsOf(@namespace)).Order(StringComparer.Ordinal);

    /// <summary>The slots of the largest host: no task may ask for more.</summary>
    public int SlotsMax => _dispatcher.LargestHost;

    public GrpcPoolOptions Options => _options;

    /// <summary>The settings as they are now.</summary>
    public SettingsInForce Settings { get; }

    /// <summary>How many tasks there are.</summary>
    public TaskCounters Counters { get; } = new();

    public Dispatcher Dispatcher => _dispatcher;

    public TimeProvider Time => _time;

    /// <summary>Where endings go that no handler reports.</summary>
    internal Committer Committer => _committer;

    public async Task StartAsync(CancellationToken cancellation)
    {
        StoreState state = await _store.OpenAsync(_time.GetUtcNow(), cancellation).ConfigureAwait(false);
        Settings.Apply(state.Settings);
        _dispatcher.Resize(static () => []);
        Counters.Load(state.Counts);
        _dispatcher.Load(state.Counts);
        (long revision, DateTimeOffset? nextWake) = (state.Revision, state.NextWake);
        Workers.Load(state.Kinds);
        var standing = new List<TaskRecord>();
        await foreach (CommitResult lost in Recovery.LoseAsync(_store, state.Running, standing, _time).ConfigureAwait(false))
        {
            Counters.Apply(lost.Changes);
            Metrics.Note(lost.Changes);
            _dispatcher.Apply(lost);
            (revision, nextWake) = (lost.Revision, lost.NextWake);
        }

        (_, _, _, _, revision, nextWake) = await _store.CommitAsync([ScheduleBook.FromSettings(_options)], _time.GetUtcNow()).ConfigureAwait(false);
        _hub.Start(revision);
        _promoter = new DueTaskPromoter(_time, OnTimer);
        _promoter.Note(nextWake);
        _trigger.Note(nextWake);
        _rateWaker = new RateWaker(_dispatcher, _time, _committer.Nudge);
        _committer.Start([_promoter, _trigger, _rateWaker, new Pruner(_options.Pool.FinishedMax, Counters)]);
        standing.ForEach(task => Recovery.Adopt(task, _leases, _executor));
        if (standing.Count > 0)
            Workers.Adopted();
        _store.Watch(_committer.Nudge);
        _committer.Nudge();
        OpenedAt = _time.GetUtcNow();
        _phase = PoolPhase.Open;
        Log.PoolOpened(_log, Settings.Slots, _handlers.Kinds);
        if (state.Running.Count > standing.Count)
            Log.AttemptsLost(_log, state.Running.Count - standing.Count);
    }

    /// <summary>
    /// Ends the pool's life: nothing comes in or starts, watches end, what runs has <c>DrainTimeout</c>, the rest is released. Only then are those answered who wait
    /// for a task's end.
    /// </summary>
    /// <remarks>Asked again, it is the same drain.</remarks>
    public Task DrainAsync()
    {
        lock (_drainLock)
            return _drain ??= _phase is PoolPhase.Open or PoolPhase.Draining ? DrainOnceAsync() : Task.CompletedTask;
    }

    /// <summary>
    /// Drains without an end: nothing comes in or starts, workers are told to finish and leave, and what runs goes on for as long as it takes. Everything can still be
    /// asked for and watched, waiting tasks can be cancelled. It lasts until the process ends.
    /// </summary>
    /// <returns>False where the pool drained already.</returns>
    public async Task<bool> BeginDrainAsync()
    {
        lock (_drainLock)
        {
            if (_phase != PoolPhase.Open)
                return false;
            _phase = PoolPhase.Draining;
        }

        Log.DrainBegun(_log, _dispatcher.SlotsUsed);
        StopTaking();
        _drainBegan.TrySetResult();

        // What was chosen before is committed by then.
        await _committer.CommitAsync(null).ConfigureAwait(false);
        return true;
    }

    /// <summary>The settings have another number of slots now. Called on the committer's loop.</summary>
    public void Resized() => _dispatcher.Resize(Counters.QueuedLanes);

    /// <summary>Something else holds for the queues of a name. Called on the committer's loop.</summary>
    public void Changed(string queue) => _dispatcher.Change(queue, Counters.QueuedLanes);

    public async ValueTask DisposeAsync()
    {
        await DrainAsync().ConfigureAwait(false);
        Metrics.Dispose();
        _promoter?.Dispose();
        _rateWaker?.Dispose();
        Workers.Dispose();
        _store.Dispose();
    }

    public async Task<SubmitResult> SubmitAsync(NewTask task, CancellationToken cancellation) =>
        (await SubmitAsync([task], atomic: false, WhenFull.AsTheQueueSays, cancellation).ConfigureAwait(false))[0];

    /// <summary>Submits tasks in order. A caller may leave while they wait for room; one who leaves later is answered nevertheless.</summary>
    public Task<SubmitResult[]> SubmitAsync(IReadOnlyList<NewTask> tasks, bool atomic, WhenFull whenFull, CancellationToken cancellation)
    {
        var submission = new Submission(tasks, atomic, whenFull, cancellation);
        if (_phase != PoolPhase.Open)
            SubmissionGate.Refuse(submission, SubmitVerdict.Draining);
        else if (_memory?.Admits(tasks) == false)
            SubmissionGate.Refuse(submission, SubmitVerdict.MemoryShort);
        else if (!_committer.TrySubmit(submission))
            return SubmitLaterAsync(submission);
        return submission.Task;
    }

    public async Task<TaskRecord?> FindAsync(TaskId id)
    {
        TaskRecord? task = await _store.FindAsync(id).ConfigureAwait(false);
        return task is null ? null : WithProgress(task);
    }

    /// <summary>Adds to a task what is found out only when asked.</summary>
    public async Task<TaskView> ViewAsync(TaskRecord task, bool queuePosition)
    {
        bool counted = queuePosition && task.State == TaskState.Queued;
        int? position = counted ? Math.Min(QueuePositionMax, 1 + await _store.CountBeforeAsync(task, QueuePositionMax).ConfigureAwait(false)) : null;
        return new TaskView(WithProgress(task), _dispatcher.ReasonFor(task), position);
    }

    public TaskView View(TaskRecord task) => new(WithProgress(task), _dispatcher.ReasonFor(task));

    /// <summary>A change as it is told: with the progress of its time, not of now.</summary>
    public TaskView View(TaskChange change) => new(change.Task, _dispatcher.ReasonFor(change.Task));

    /// <summary>Asks for a task's end: at once where it waits, after at most the grace where it runs.</summary>
    public async Task<CommandOutcome> CancelAsync(TaskId id, string reason, string by, TimeSpan forceAfter)
    {
        CommandOutcome outcome = await _committer.CommitAsync(new CancelTask(id, reason, by)).ConfigureAwait(false);
        if (outcome.Task is { State: TaskState.Running } running)
            _executor.Stop(running, forceAfter);
        return outcome;
    }

    /// <summary>Ends an attempt that its handler has left running.</summary>
    /// <returns>Done with the task after it; Refused where the lease does not stand (any more).</returns>
    public async Task<CommandOutcome> CompleteAsync(TaskId id, LeaseToken token, TaskOutcome outcome)
    {
        if (_leases.Find(token) is Callback callback && callback.Task == id)
        {
            callback.Report(outcome);
            await callback.Committed.ConfigureAwait(false);
        }

        TaskRecord? task = await _store.FindAsync(id).ConfigureAwait(false);
        bool refused = task is not null && task.Lease?.EndedBy != token;
        if (refused)
            Metrics.Fenced();
        return new CommandOutcome(task is null ? Verdict.NotFound : refused ? Verdict.Refused : Verdict.Done, task);
    }

    public Task<CommandOutcome> RetryAsync(TaskId id) => _committer.CommitAsync(new RetryTask(id));

    public Task<CommandOutcome> DeleteAsync(TaskId id) => _committer.CommitAsync(new DeleteTask(id));

    /// <summary>Does something to each task of a filter that there is now, chunk by chunk, and counts for how many it was done.</summary>
    public async Task<long> ForEachAsync(TaskFilter filter, Func<TaskRecord, bool> applies, Func<TaskRecord, Task<CommandOutcome>>? action, CancellationToken cancellation)
    {
        long done = 0;
        long newest = _hub.Committed;
        await foreach (IReadOnlyList<TaskRecord> tasks in ScanAsync(filter, cancellation).ConfigureAwait(false))
        {
            TaskRecord[] meant = [.. tasks.Where(task => task.Sequence <= newest && applies(task))];
            if (action is null)
                done += meant.Length;
            else
                done += (await Task.WhenAll(meant.Select(action)).ConfigureAwait(false)).Count(static outcome => outcome.Verdict == Verdict.Done);
            if (tasks.Count > 0 && tasks[^1].Sequence > newest)
                break;
        }

        return done;
    }

    public ValueTask<TaskPage> ListAsync(TaskScan scan) => _store.ScanAsync(scan);

    /// <summary>The newest revision that watchers have been told.</summary>
    public long Revision => _hub.Published;

    /// <summary>Counts from what is counted anyway; null where the filter asks for more.</summary>
    public IReadOnlyList<(Lane Lane, TaskState State, long Count)>? TryCount(TaskFilter filter) => filter.IsCounted ? Counters.Read(filter) : null;

    /// <summary>Reads all tasks of a filter, the oldest first, in short reads.</summary>
    public async IAsyncEnumerable<IReadOnlyList<TaskRecord>> ScanAsync(TaskFilter filter, [EnumeratorCancellation] CancellationToken cancellation)
    {
        long? from = null;
        do
        {
            cancellation.ThrowIfCancellationRequested();
            TaskPage page = await _store.ScanAsync(new TaskScan(filter, from, NewestFirst: false, Limit: 1000)).ConfigureAwait(false);
            from = page.Next;
            yield return page.Tasks;
        }
        while (from is not null);
    }

    /// <summary>Copies the store into a new file; the pool goes on meanwhile. Not finished at the drain, it is given up.</summary>
    /// <returns>The size of the file in bytes.</returns>
    /// <exception cref="StorageException">It cannot be done, and says why.</exception>
    public async Task<long> BackUpAsync(string path, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(Draining, cancellation);
        try
        {
            return await _store.BackUpAsync(path, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new PoolClosedException();
        }
    }

    /// <summary>What all watchers together hold.</summary>
    public WatchRooms WatchRooms => _hub.Rooms;

    public Watch Watch(WatchQuery query) => Watching.Watch.Open(_hub, query);

    public LogReading ReadLog(TaskId id) => LogReading.Open(_hub, id);

    /// <summary>Waits for a task's end, at most so long. Null: it was deleted meanwhile, or never was.</summary>
    public Task<TaskRecord?> WaitAsync(TaskId id, TimeSpan timeout, CancellationToken cancellation) => TaskEnd.WaitAsync(this, id, timeout, cancellation);

    private async Task DrainOnceAsync()
    {
        _phase = PoolPhase.Draining;
        await Task.Yield();
        Log.Draining(_log, _dispatcher.SlotsUsed, _options.Pool.DrainTimeout);
        StopTaking();
        await _hub.DrainAsync().ConfigureAwait(false);
        await SettleAsync().ConfigureAwait(false);
        await _executor.DrainAsync(_options.Pool.DrainTimeout).ConfigureAwait(false);
        await _committer.StopAsync().ConfigureAwait(false);
        await _hub.StopAsync().ConfigureAwait(false);
        _phase = PoolPhase.Closed;
        Log.PoolClosed(_log);
    }

    /// <summary>Waits for what is on its way into a commit; one that fails tells those who wait for it.</summary>
    private async Task SettleAsync()
    {
        try
        {
            await _committer.CommitAsync(null).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is StorageException or IOException)
        {
            // The drain goes on.
        }
    }

    private void StopTaking()
    {
        _dispatcher.Drain();
        _gate.Close();
        Workers.Drain();
    }

    private async Task<SubmitResult[]> SubmitLaterAsync(Submission submission)
    {
        try
        {
            await _committer.SubmitAsync(submission).ConfigureAwait(false);
        }
        catch (PoolClosedException)
        {
            SubmissionGate.Refuse(submission, SubmitVerdict.Draining);
        }

        return await submission.Task.ConfigureAwait(false);
    }

    private TaskRecord WithProgress(TaskRecord task) =>
        task.State == TaskState.Running && _executor.ProgressOf(task) is var progress && progress != task.Progress ? task with { Progress = progress } : task;

    private void OnTimer()
    {
        _executor.CheckTotalTimeouts(_time.GetUtcNow());
        _committer.Nudge();
    }
}
