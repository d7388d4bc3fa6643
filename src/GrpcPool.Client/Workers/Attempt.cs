using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Google.Protobuf;
using GrpcPool.V1;

namespace GrpcPool.Client.Workers;

/// <summary>One attempt that the pool has assigned; runs on the thread pool. It is in the news when there is something to tell of it.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Neither source has a timer or a wait handle, and a stop may still be on its way to one when the attempt has ended.")]
internal sealed class Attempt : WorkContext, IThreadPoolWorkItem
{
    private const int Waiting = 0, Begun = 1, Released = 2;

    private static readonly Released NotBegun = new();
    private static readonly Succeeded NoResult = new();

    private readonly Lease _lease;
    private readonly IWorkHandler _handler;
    private readonly ChannelWriter<Attempt?> _news;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private int _state;
    private volatile string? _stopReason;
    private volatile WorkOutcome? _outcome;
    private volatile bool _isLost;
    private volatile bool _isAbandoned;
    private AttemptNews? _said;

    /// <summary>Most handlers do not ask for it.</summary>
    private CancellationTokenSource? _killed;

    /// <summary>Whether its end has been told; for the teller alone.</summary>
    private bool _isOver;

    public Attempt(Assignment assignment, IWorkHandler handler, ChannelWriter<Attempt?> news, TimeProvider time)
        : base(assignment.Task) => (_lease, _handler, _news, _time) = (assignment.Lease, handler, news, time);

    public ByteString Token => _lease.Token;

    public override string? StopReason => _stopReason;

    public override CancellationToken Killed => Killing.Token;

    void IThreadPoolWorkItem.Execute()
    {
        // It ends with a place in the news, for which the session waits.
        if (Interlocked.CompareExchange(ref _state, Begun, Waiting) == Waiting)
            _ = RunAsync();
    }

    public override void WriteLog(ReadOnlySpan<byte> text) => Said.Write(text);

    /// <summary>Gives it back, if it has not begun.</summary>
    public void Release()
    {
        if (Interlocked.CompareExchange(ref _state, Released, Waiting) == Waiting)
            _news.TryWrite(this);
    }

    /// <summary>Asks the handler to end.</summary>
    public void Stop(string reason)
    {
        _stopReason ??= reason;
        _ = CancelAsync(_stopping);
    }

    /// <summary>The same, and what is no success is not reported: the pool takes the attempt for lost, and runs the task elsewhere.</summary>
    public void Abandon(string reason)
    {
        _isAbandoned = true;
        Stop(reason);
    }

    /// <summary>The lease is lost: nothing more is reported.</summary>
    public void Lose(string reason)
    {
        _isLost = true;
        Stop(reason);
        _ = CancelAsync(Killing);
        Release();
    }

    /// <summary>Adds what is to be told. True once: with it the attempt is over.</summary>
    public bool Tell(ReportBatch batch, int resultBytesMax)
    {
        if (_isOver)
            return false;
        WorkOutcome? outcome = _outcome;
        bool isReleased = Volatile.Read(ref _state) == Released;
        _isOver = outcome is not null || isReleased;
        if (_isLost)
            return _isOver;
        Volatile.Read(ref _said)?.Tell(batch, _lease);
        if (isReleased)
            batch.Add(new Report { Lease = _lease, Released = NotBegun });
        else if (outcome is not null && !(_isAbandoned && outcome.Failure is not null))
            batch.Add(Ending(outcome, resultBytesMax), outcome.Result.Length);
        return _isOver;
    }

    private protected override void Say(Progress progress) => Said.Report(progress);

    private CancellationTokenSource Killing => Volatile.Read(ref _killed) ?? Interlocked.CompareExchange(ref _killed, new CancellationTokenSource(), null) ?? _killed;

    /// <summary>Most attempts say nothing before their end.</summary>
    private AttemptNews Said => Volatile.Read(ref _said) ?? Interlocked.CompareExchange(ref _said, new AttemptNews(() => _news.TryWrite(this), _time), null) ?? _said;

    private async Task RunAsync()
    {
        Activity? span = WorkTrace.Start(Task);
        WorkOutcome outcome = await WorkOutcome.OfAsync(_handler, this, _stopping.Token).ConfigureAwait(false);
        WorkTrace.End(span, outcome);
        _outcome = outcome;
        _news.TryWrite(this);
    }

    private Report Ending(WorkOutcome outcome, int resultBytesMax)
    {
        if (outcome.Failure is null && outcome.Result.Length > resultBytesMax)
            outcome = WorkOutcome.Failed(FailureCode.ResultTooLarge, $"the result has {outcome.Result.Length} bytes, more than Limits:ResultBytesMax ({resultBytesMax})");
        if (outcome.Failure is { } failure)
            return new Report { Lease = _lease, Failed = failure };
        if (outcome.Result.IsEmpty && outcome.ContentType.Length == 0)
            return new Report { Lease = _lease, Succeeded = NoResult };
        return new Report { Lease = _lease, Succeeded = new Succeeded { Result = UnsafeByteOperations.UnsafeWrap(outcome.Result), ContentType = outcome.ContentType } };
    }

    private static async Task CancelAsync(CancellationTokenSource source) => await source.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
