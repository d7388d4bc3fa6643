using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace GrpcPool.Storage.Sqlite;

/// <summary>A bounded number of readers, opened when they are first needed. Who finds none free waits. Thread-safe.</summary>
internal sealed class Readers(Func<StoreReader> open) : IDisposable
{
    private const int Max = 4;

    private readonly SemaphoreSlim _free = new(Max, Max);
    private readonly ConcurrentBag<StoreReader> _idle = [];
    private bool _closed;

    /// <summary>A short read, on the caller's thread.</summary>
    public async ValueTask<T> ReadAsync<T>(Func<StoreReader, T> read)
    {
        await _free.WaitAsync().ConfigureAwait(false);
        try
        {
            return Read(read);
        }
        finally
        {
            _free.Release();
        }
    }

    /// <summary>A read that may take a while, off the caller's thread.</summary>
    public async ValueTask<T> ReadLongAsync<T>(Func<StoreReader, T> read)
    {
        await _free.WaitAsync().ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Read(read)).ConfigureAwait(false);
        }
        finally
        {
            _free.Release();
        }
    }

    /// <summary>Waits for the reads under way, which are short; whoever comes later finds the store closed.</summary>
    [SuppressMessage("Usage", "CA2213", Justification = "Those who come later wait for the semaphore; it has no handle.")]
    public void Dispose()
    {
        for (int i = 0; i < Max; i++)
            _free.Wait();
        _closed = true;
        while (_idle.TryTake(out StoreReader? reader))
            reader.Dispose();
        _free.Release(Max);
    }

    private T Read<T>(Func<StoreReader, T> read)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (!_idle.TryTake(out StoreReader? reader))
            reader = open();
        try
        {
            return read(reader);
        }
        catch
        {
            reader.Reset();
            throw;
        }
        finally
        {
            _idle.Add(reader);
        }
    }
}
