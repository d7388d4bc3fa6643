using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Client;

/// <summary>
/// Tasks without end, pipelined over one stream after another. An item is in one place at a time: ready to be sent, unanswered, refused until its time, or decided.
/// The window bounds all of them together, so that none of the queues needs a bound of its own.
/// </summary>
internal sealed class BulkSubmission : IDisposable
{
    private readonly PoolLink _link;
    private readonly SemaphoreSlim _room = new(BulkItem.PlacesMax, BulkItem.PlacesMax);
    private readonly Channel<BulkItem> _ready = Channel.CreateUnbounded<BulkItem>();
    private readonly Channel<BulkItem> _refused = Channel.CreateUnbounded<BulkItem>();
    private readonly Channel<(SubmitOutcome Outcome, int Places)> _decided = Channel.CreateUnbounded<(SubmitOutcome Outcome, int Places)>();

    /// <summary>The items that are not decided, and one more until the source has ended.</summary>
    private long _open = 1;

    private BulkSubmission(PoolLink link) => _link = link;

    public static async IAsyncEnumerable<SubmitOutcome> RunAsync(PoolLink link, IAsyncEnumerable<TaskSpec> tasks, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var bulk = new BulkSubmission(link);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task work = bulk.WorkAsync(tasks, ending);
        try
        {
            await foreach ((SubmitOutcome outcome, int places) in bulk._decided.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
                bulk._room.Release(places);
                yield return outcome;
            }
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        cancellation.ThrowIfCancellationRequested();
    }

    public void Dispose() => _room.Dispose();

    /// <summary>Three hands at work; the first fault ends them all, and is what the reader of the outcomes gets.</summary>
    private async Task WorkAsync(IAsyncEnumerable<TaskSpec> tasks, CancellationTokenSource ending)
    {
        Exception? fault = null;
        Task[] hands = [new BulkStreams(_link, _ready.Reader, Decide).RunAsync(ending.Token), BringBackAsync(ending.Token), TakeInAsync(tasks, ending.Token)];
        await foreach (Task ended in Task.WhenEach(hands).ConfigureAwait(false))
        {
            if (ended.IsCompletedSuccessfully)
                continue;
            fault ??= ended.Exception?.InnerException ?? new OperationCanceledException(ending.Token);
            await ending.CancelAsync().ConfigureAwait(false);
        }

        _decided.Writer.TryComplete(fault);
    }

    private async Task TakeInAsync(IAsyncEnumerable<TaskSpec> tasks, CancellationToken cancellation)
    {
        // A source that never waits must not hold up whoever reads the outcomes.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        long index = 0;
        await foreach (TaskSpec task in tasks.WithCancellation(cancellation).ConfigureAwait(false))
        {
            var item = new BulkItem(index++, _link.WithId(task));
            for (int places = item.Places; places > 0; places--)
                await _room.WaitAsync(cancellation).ConfigureAwait(false);
            Interlocked.Increment(ref _open);
            _ready.Writer.TryWrite(item);
        }

        CloseOne();
    }

    /// <summary>Refused items return in the order in which they were refused; the server asks all of them for about the same patience.</summary>
    private async Task BringBackAsync(CancellationToken cancellation)
    {
        await foreach (BulkItem item in _refused.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            TimeSpan pause = item.DueAt - _link.Time.GetUtcNow();
            if (pause > TimeSpan.Zero)
                await Task.Delay(pause, _link.Time, cancellation).ConfigureAwait(false);
            _ready.Writer.TryWrite(item);
        }
    }

    private void Decide(BulkItem item, SubmitStreamResult result)
    {
        if (result.Error is { } error && Postpone(item, error) is { } postponed)
        {
            _refused.Writer.TryWrite(postponed);
            return;
        }

        _decided.Writer.TryWrite((new SubmitOutcome(item.Index, result.Id.Length > 0 ? result.Id : item.Task.Id, result.Created, result.Error), item.Places));
        CloseOne();
    }

    private BulkItem? Postpone(BulkItem item, SubmitError error)
    {
        if (error.Code != (int)StatusCode.ResourceExhausted || error.RetryAfter is null)
            return null;
        TimeSpan pause = error.RetryAfter.ToTimeSpan(), limit = _link.Options.RetryFor;
        long refused = item.RefusedAt ?? _link.Time.GetTimestamp();
        bool worth = limit == Timeout.InfiniteTimeSpan || _link.Time.GetElapsedTime(refused) + pause <= limit;
        return worth ? item with { RefusedAt = refused, DueAt = _link.Time.GetUtcNow() + pause } : null;
    }

    private void CloseOne()
    {
        if (Interlocked.Decrement(ref _open) > 0)
            return;
        _ready.Writer.Complete();
        _refused.Writer.Complete();
    }
}
