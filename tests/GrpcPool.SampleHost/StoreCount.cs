namespace GrpcPool.SampleHost;

/// <summary>Counts the stores that were made and disposed of.</summary>
internal sealed class StoreCount
{
    private int _opened;
    private int _disposed;

    public int Opened => Volatile.Read(ref _opened);

    public int Disposed => Volatile.Read(ref _disposed);

    public void CountOpened() => Interlocked.Increment(ref _opened);

    public void CountDisposed() => Interlocked.Increment(ref _disposed);
}
