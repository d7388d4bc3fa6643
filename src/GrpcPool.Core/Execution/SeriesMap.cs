using System.Collections.Concurrent;
using GrpcPool.Core.Hosting;

namespace GrpcPool.Core.Execution;

/// <summary>As many time series as are told apart, and one for all that comes beyond: what callers name does not make more of them. Thread-safe.</summary>
/// <param name="make">Makes a series.</param>
/// <param name="other">The one for what comes beyond.</param>
internal sealed class SeriesMap<TKey, T>(Func<TKey, T> make, T other)
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, T> _series = new();
    private int _left = Telemetry.SeriesMax;

    /// <summary>All that there are by now.</summary>
    public IEnumerable<T> All => Volatile.Read(ref _left) > 0 ? _series.Values : _series.Values.Append(other);

    public T this[TKey key]
    {
        get
        {
            if (_series.TryGetValue(key, out T? found))
                return found;
            return Volatile.Read(ref _left) <= 0 ? other : _series.GetOrAdd(key, Add);
        }
    }

    private T Add(TKey key)
    {
        Interlocked.Decrement(ref _left);
        return make(key);
    }
}
