namespace GrpcPool.Core.Watching;

/// <summary>
/// Bounds what all watchers together hold of what they are being told: a task may be of megabytes, and a reader that does not read holds what it was to read. Who finds no room waits, those
/// first who have read as much before, and holds nothing meanwhile; who has been blocked for a while and is in the way of others is to make room. Thread-safe.
/// </summary>
/// <param name="bytesMax">How many bytes are held at most, or what a single watcher holds. Those who have yet to show that they read share half of it.</param>
internal sealed class WatchRoom(long bytesMax)
{
    private readonly Lock _lock = new();

    /// <summary>Those who have read before, and the others; each in the order of their coming.</summary>
    private readonly LinkedList<Waiter> _readers = [], _others = [];
    private long _held;
    private int _waiting;

    /// <summary>How many bytes are held.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <summary>Whether somebody waits.</summary>
    public bool IsCrowded => Volatile.Read(ref _waiting) > 0;

    /// <summary>Takes room, where there is some and nobody waits for it.</summary>
    /// <param name="bytes">How much.</param>
    /// <param name="reads">Whether it is for one who has read as much before.</param>
    public bool TryEnter(long bytes, bool reads)
    {
        lock (_lock)
        {
            bool first = _readers.Count == 0 && (reads || _others.Count == 0);
            return first && TryTake_NeedsLock(bytes, reads);
        }
    }

    /// <summary>Takes room when there is some.</summary>
    public async Task EnterAsync(long bytes, bool reads, CancellationToken cancellation)
    {
        LinkedListNode<Waiter> waiter;
        lock (_lock)
        {
            waiter = (reads ? _readers : _others).AddLast(new Waiter(bytes));
            _waiting++;
            Admit_NeedsLock();
        }

        try
        {
            await waiter.Value.Admitted.Task.WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            GiveUp(waiter);
            throw;
        }
    }

    /// <summary>Gives room back.</summary>
    public void Leave(long bytes)
    {
        lock (_lock)
        {
            _held -= bytes;
            Admit_NeedsLock();
        }
    }

    private void GiveUp(LinkedListNode<Waiter> waiter)
    {
        lock (_lock)
        {
            if (waiter.List is not { } list)
                _held -= waiter.Value.Bytes;
            else
                Remove_NeedsLock(list, waiter);
            Admit_NeedsLock();
        }
    }

    private void Admit_NeedsLock()
    {
        Admit_NeedsLock(_readers, reads: true);
        if (_readers.Count == 0)
            Admit_NeedsLock(_others, reads: false);
    }

    private void Admit_NeedsLock(LinkedList<Waiter> waiting, bool reads)
    {
        while (waiting.First is { } first && TryTake_NeedsLock(first.Value.Bytes, reads))
        {
            Remove_NeedsLock(waiting, first);
            first.Value.Admitted.TrySetResult();
        }
    }

    private void Remove_NeedsLock(LinkedList<Waiter> waiting, LinkedListNode<Waiter> waiter)
    {
        waiting.Remove(waiter);
        _waiting--;
    }

    private bool TryTake_NeedsLock(long bytes, bool reads)
    {
        if (_held > 0 && _held + bytes > (reads ? bytesMax : bytesMax / 2))
            return false;
        _held += bytes;
        return true;
    }

    private sealed class Waiter(long bytes)
    {
        public long Bytes => bytes;

        public TaskCompletionSource Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
