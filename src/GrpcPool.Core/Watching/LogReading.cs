using System.Runtime.CompilerServices;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Watching;

/// <summary>Reads one task's log, and waits for more of it where that is asked for. Counts as a watch. Read by one reader.</summary>
internal sealed class LogReading : IWatcher, IDisposable
{
    /// <summary>How many bytes one page has at most: with it a reader's memory is bounded.</summary>
    private const int PageBytesMax = 64 * 1024;

    private readonly WatchHub _hub;
    private readonly TaskId _id;
    private TaskCompletionSource _changed = NewSignal();

    private LogReading(WatchHub hub, TaskId id) => (_hub, _id, Place) = (hub, id, new WatchPlace(hub.Rooms, hub.Closing));

    /// <summary>What its reader holds of the log.</summary>
    public WatchPlace Place { get; }

    /// <exception cref="WatchException">Too many watch.</exception>
    public static LogReading Open(WatchHub hub, TaskId id)
    {
        var reading = new LogReading(hub, id);
        hub.Register(reading, [id]);
        return reading;
    }

    public void Dispose()
    {
        _hub.Unregister(this, [_id]);
        Place.Release();
    }

    void IWatcher.Offer(TaskChange change)
    {
        if (change.Type != ChangeType.Progressed)
            Wake();
    }

    void IWatcher.Overflow() => Wake();

    /// <summary>All there is from an offset; to follow, on to the task's end, through retries and the pool's drain.</summary>
    /// <exception cref="WatchException">There is no such task (any more), or the pool has closed before the task ended.</exception>
    public async IAsyncEnumerable<LogPage> ReadAsync(long offset, bool follow, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _hub.Closing);
        while (true)
        {
            // Both before the page is read: what happens later is seen by the next.
            Task changed = Volatile.Read(ref _changed).Task;
            bool closed = _hub.Closing.IsCancellationRequested;
            LogPage page = await _hub.Store.ReadLogAsync(_id, offset, PageBytesMax).ConfigureAwait(false) ?? throw WatchException.NotFound(_id);
            if (!Place.TryKeep(2 * page.Data.Length))
            {
                page = page with { Data = default };
                await Place.WaitAsync(cancellation).ConfigureAwait(false);
                continue;
            }

            if (!page.Data.IsEmpty)
            {
                yield return page;
                Place.Leave();
                offset = page.Offset + page.Data.Length;
            }
            else if (!follow || page.Finished)
            {
                yield break;
            }
            else if (closed)
            {
                throw new WatchException(WatchFault.Draining, "the pool shuts down; go on from the last offset when it is back");
            }
            else
            {
                await changed.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancellation.ThrowIfCancellationRequested();
            }
        }
    }

    private void Wake() => Interlocked.Exchange(ref _changed, NewSignal()).TrySetResult();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
