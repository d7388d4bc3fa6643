using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Watching;

/// <summary>How many bytes of payloads and results the buffers of all watchers keep alive; what several of them keep counts once. Thread-safe.</summary>
/// <param name="max">How many there may be.</param>
internal sealed class BufferedBytes(long max)
{
    private long _bytes;

    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Whether a buffer that would add one more must do without.</summary>
    public bool IsFull => Bytes > max;

    /// <summary>Whether progress is to be left out: it goes first.</summary>
    public bool IsHalfFull => Bytes > max / 2;

    public void Add(TaskChange change)
    {
        if (ChangeSpan.BytesOf(change) is > 0 and var bytes && change.AddKeeper())
            Interlocked.Add(ref _bytes, bytes);
    }

    public void Remove(TaskChange change)
    {
        if (ChangeSpan.BytesOf(change) is > 0 and var bytes && change.RemoveKeeper())
            Interlocked.Add(ref _bytes, -bytes);
    }
}
