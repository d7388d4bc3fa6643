using System.Diagnostics;
using System.Threading.Channels;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Maintenance;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Watching;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Execution;

/// <summary>
/// The one writer: takes everything that waits as one commit, so that light load pays one sync and heavy load shares it, and tells the others what has become true.
/// While it commits, the next batch gathers.
/// </summary>
internal sealed class Committer(
    GuardedStore store, SubmissionGate gate, TaskCounters counters, Dispatcher dispatcher, Executor executor, WatchHub hub, TimeProvider time, ILogger log)
{
    /// <summary>How many requests one commit takes.</summary>
    private const int RequestsMax = 4096;

    /// <summary>How many requests wait for a commit; more wait to be heard.</summary>
    private const int QueueMax = 65_536;

    /// <summary>
    /// How often work that is ready to run may go before the next commit. It brings what the next commit takes: calls that were just answered come again, attempts that were just started end.
    /// Fewer and larger commits cost less, and where nothing is ready nobody waits.
    /// </summary>
    private const int YieldsMax = 8;

    private static readonly TimeSpan PauseAfterFault = TimeSpan.FromMilliseconds(100);

    private readonly Channel<object> _requests = Channel.CreateBounded<object>(new BoundedChannelOptions(QueueMax) { SingleReader = true });
    private readonly List<TaskCommand> _commands = [];

    /// <summary>Who hears of the outcome of the command at the same place: a request, a pick, or a duty.</summary>
    private readonly List<object?> _listeners = [];
    private readonly List<ICommandRequest> _nudges = [];
    private readonly List<Pick> _picks = [];
    private readonly InsertRequest _inserts = new();

    /// <summary>What is gathered for a command and is not among them yet.</summary>
    private InsertRequest? _gathering;
    private IReadOnlyList<IDuty> _duties = [];
    private Task _loop = Task.CompletedTask;

    public PoolMetrics Metrics => executor.Metrics;

    public void Start(IReadOnlyList<IDuty> duties)
    {
        _duties = duties;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Commits what still waits and ends.</summary>
    public async Task StopAsync()
    {
        _requests.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
    }

    /// <summary>Commits a command; none, and this returns after a commit to come.</summary>
    /// <exception cref="PoolClosedException">The pool has closed.</exception>
    public async Task<CommandOutcome> CommitAsync(TaskCommand? command)
    {
        var request = new CommandRequest(command);
        await EnterAsync(request).ConfigureAwait(false);
        return await request.Task.ConfigureAwait(false);
    }

    /// <summary>Hands in a command that is told of its outcome.</summary>
    /// <exception cref="PoolClosedException">The pool has closed.</exception>
    public ValueTask HandInAsync(ICommandRequest request) => EnterAsync(request);

    /// <summary>Hands in a submission, whose own task tells what became of it. False where too much waits for that, or the pool has closed.</summary>
    public bool TrySubmit(Submission submission) => _requests.Writer.TryWrite(submission);

    /// <summary>Hands in a submission as soon as there is room.</summary>
    /// <exception cref="PoolClosedException">The pool has closed.</exception>
    public ValueTask SubmitAsync(Submission submission) => EnterAsync(submission);

    /// <summary>Something may have become possible: look.</summary>
    public void Nudge() => _requests.Writer.TryWrite(new CommandRequest(null));

    private ValueTask EnterAsync(object request) => _requests.Writer.TryWrite(request) ? default : EnterLaterAsync(request);

    private async ValueTask EnterLaterAsync(object request)
    {
        try
        {
            await _requests.Writer.WriteAsync(request).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw new PoolClosedException();
        }
    }

    private async Task RunAsync()
    {
        while (await _requests.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (await TryCommitOnceAsync().ConfigureAwait(false))
            {
                for (int i = 0; i < YieldsMax && ThreadPool.PendingWorkItemCount > 0; i++)
                    await Task.Yield();
            }
        }
    }

    /// <summary>One commit. False where there was nothing to do.</summary>
    private async Task<bool> TryCommitOnceAsync()
    {
        try
        {
            await store.TryRecoverAsync().ConfigureAwait(false);
            LaneWindow? laneToFill = await GatherAsync().ConfigureAwait(false);
            if (_commands.Count > 0)
                Tell(await CommitAsync().ConfigureAwait(false));
            gate.Settle();
            if (laneToFill is not null)
                await dispatcher.FillAsync(laneToFill, store).ConfigureAwait(false);
            foreach (ICommandRequest nudge in _nudges)
                nudge.Committed(default);
            return _commands.Count > 0 || laneToFill is not null || gate.Count > 0;
        }
#pragma warning disable CA1031 // The loop outlives any fault; whoever waited for this commit hears of it.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            Log.CommitFailed(log, _commands.Count, fault);
            Metrics.CommitFailed();
            Fail(fault);
            await Task.Delay(PauseAfterFault, time).ConfigureAwait(false);
            return true;
        }
    }

    private async ValueTask<CommitResult> CommitAsync()
    {
        if (!Metrics.IsEnabled)
            return await store.CommitAsync(_commands, time.GetUtcNow()).ConfigureAwait(false);
        long began = time.GetTimestamp();
        CommitResult result = await store.CommitAsync(_commands, time.GetUtcNow()).ConfigureAwait(false);
        Metrics.Committed(_commands.Count, time.GetElapsedTime(began));
        Metrics.Note(result.Changes);
        return result;
    }

    /// <summary>Takes what waits: endings first, so that their slots are free for the starts of this very commit; then starts, then newcomers.</summary>
    private async ValueTask<LaneWindow?> GatherAsync()
    {
        _commands.Clear();
        _listeners.Clear();
        _nudges.Clear();
        _picks.Clear();
        _inserts.Clear();
        int ended = 0;
        for (int i = 0; i < RequestsMax && _requests.Reader.TryRead(out object? request); i++)
        {
            if (request is Submission submission)
            {
                gate.Enter(submission);
                continue;
            }

            var command = (ICommandRequest)request;
            ended += command.Released is null ? 0 : 1;
            Take(command);
        }

        gate.NoteEnded(ended);

        // While commits fail, only what somebody asked for is tried: endings have the room there may be to themselves.
        LaneWindow? laneToFill = store.IsWritable ? AddOwnWork() : null;
        _gathering = _inserts;
        for (int waiting = gate.Count; waiting > 0 && gate.HasNext; waiting--)
        {
            if (await gate.AdmitNextAsync(_gathering ??= new InsertRequest()).ConfigureAwait(false) is not { } atomic)
                continue;
            AddGathered();
            Add(atomic.Command(atomic: true), atomic);
        }

        AddGathered();
        return laneToFill;
    }

    private void AddGathered()
    {
        if (_gathering is { Count: > 0 } inserts)
            Add(inserts.Command(atomic: false), inserts);
        _gathering = null;
    }

    /// <summary>What the pool does of itself: its duties, and starts.</summary>
    private LaneWindow? AddOwnWork()
    {
        DateTimeOffset now = time.GetUtcNow();
        foreach (IDuty duty in _duties)
        {
            if (duty.Next(now) is { } command)
                Add(command, duty);
        }

        LaneWindow? laneToFill = dispatcher.PickAll(_picks);
        foreach (Pick pick in _picks)
            Add(new StartTask(pick.Task.Id, pick.Lease.Start), pick);
        return laneToFill;
    }

    private void Take(ICommandRequest request)
    {
        // Who is next in the line of a serial key is known after the commit, and may go before all others: those slots are given away then.
        if (request.Released is { SerialKey: "" } lease)
            dispatcher.Release(lease);
        if (request.Command is { } command)
            Add(command, request);
        else
            _nudges.Add(request);
    }

    private void Add(TaskCommand command, object? listener)
    {
        _commands.Add(command);
        _listeners.Add(listener);
    }

    private void Tell(CommitResult result)
    {
        counters.Apply(result.Changes);
        dispatcher.Apply(result);
        executor.Apply(result.Changes);
        hub.Publish(result.Told, result.Revision);
        foreach (IDuty duty in _duties)
            duty.Note(result.NextWake);
        for (int i = 0; i < _listeners.Count; i++)
            Tell(_listeners[i], result.Outcomes[i]);
        _listeners.Clear();
        if (log.IsEnabled(LogLevel.Debug))
        {
            foreach (TaskChange change in result.Changes)
            {
                string trace = AttemptTrace.IdOf(change.Task);
                Log.TaskChanged(log, change.Task.Id, change.Task.State, change.Task.Version, trace);
            }
        }
    }

    private void Tell(object? listener, CommandOutcome outcome)
    {
        switch (listener)
        {
            case ICommandRequest request:
                if (request.Released is { } lease)
                    dispatcher.Release(lease);
                request.Committed(outcome);
                break;
            case IDuty duty:
                duty.Done(outcome);
                break;
            case InsertRequest insert:
                insert.Settle(outcome, executor.Start, dispatcher.Release, gate.Continue);
                break;
            case Pick pick when outcome.Verdict == Verdict.Done:
                executor.Start(outcome.Task!, pick.Lease);
                break;
            case Pick pick:
                dispatcher.Release(pick.Lease);
                break;
            default:
                Debug.Fail("every command has somebody who listens");
                break;
        }
    }

    private void Fail(Exception fault)
    {
        foreach (object? listener in _listeners.Concat(_nudges).Append(_gathering))
        {
            if (listener is ICommandRequest request)
                request.Failed(fault);
            else if (listener is InsertRequest insert)
                insert.Fail(fault, dispatcher.Release);
            else if (listener is Pick pick)
                dispatcher.Release(pick.Lease);
        }

        dispatcher.Reset();
        gate.Settle();
    }
}
