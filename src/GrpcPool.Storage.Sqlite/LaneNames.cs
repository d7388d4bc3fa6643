using System.Collections.Concurrent;
using GrpcPool.Core.Storage;

namespace GrpcPool.Storage.Sqlite;

/// <summary>The names of the lanes by their number in the database, shared by all connections. A number is not used again while the store is open. Thread-safe.</summary>
internal sealed class LaneNames
{
    private readonly ConcurrentDictionary<long, Lane> _lanes = new();

    public Lane? Find(long id) => _lanes.TryGetValue(id, out Lane lane) ? lane : null;

    public void Add(long id, Lane lane) => _lanes[id] = lane;

    public void Remove(long id) => _lanes.TryRemove(id, out _);
}
