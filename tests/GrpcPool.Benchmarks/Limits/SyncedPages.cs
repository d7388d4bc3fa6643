namespace GrpcPool.Benchmarks.Limits;

/// <summary>A file that grows by one synced page at a time: what a commit costs at least.</summary>
internal sealed class SyncedPages : IDisposable
{
    private const int Page = 4096;

    private readonly FileStream _file = new(Path.GetTempFileName(), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);

    public Task Sync()
    {
        _file.Write(new byte[Page]);
        _file.Flush(flushToDisk: true);
        return Task.CompletedTask;
    }

    public void Dispose() => _file.Dispose();
}
