using Google.Protobuf;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Watching;
using Event = GrpcPool.V1.WatchEvent;
using EventType = GrpcPool.V1.WatchEventType;

namespace GrpcPool.Server.Services;

/// <summary>From the hub's events to those of the contract: the common form is made once and shared by all who watch.</summary>
internal sealed class EventMapping(TaskPool pool, V1.TaskView detail)
{
    /// <summary>How many bytes of events go into one message; a single event may be larger.</summary>
    private const int MessageBytesMax = 1 << 20;

    private static readonly WireForm Synced = new(new Event { Type = EventType.Synced });

    /// <summary>Cuts a batch into messages: the events of each, and the revision that a reader knows after it.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="before">The revision that the reader knows already.</param>
    public IEnumerable<(IReadOnlyList<WireForm> Events, long Revision)> Cut(WatchBatch batch, long before)
    {
        var events = new List<WireForm>();
        int bytes = 0;
        for (int i = 0; i < batch.Events.Count; i++)
        {
            WireForm form = Map(batch.Events[i]);
            if (events.Count > 0 && bytes + form.Bytes > MessageBytesMax)
            {
                yield return (events, batch.Revision == 0 ? 0 : Math.Max(before, Watch.RevisionOf(batch.Events.Take(i))));
                (events, bytes) = ([], 0);
            }

            events.Add(form);
            bytes += form.Bytes;
        }

        yield return (events, batch.Revision);
    }

    private WireForm Map(WatchEvent told)
    {
        if (told.Change is not { } change)
            return Synced;
        bool shared = detail != V1.TaskView.Full && told.Type != WatchEventType.Snapshot;
        return shared ? change.WireForm(_ => Make(told.Type, change)) : Make(told.Type, change);
    }

    private WireForm Make(WatchEventType type, TaskChange change) => new(new Event
    {
        Type = (EventType)type,
        Task = type == WatchEventType.Deleted ? ProtoMapping.ToName(change.Task.Id) : ProtoMapping.ToInfo(type == WatchEventType.Snapshot ? pool.View(change.Task) : pool.View(change), detail),
    });

}

/// <summary>An event as it goes over the wire, shared by all who are told of it.</summary>
internal sealed class WireForm(Event told)
{
    private byte[]? _packed;

    public Event Event { get; } = told;

    public int Bytes { get; } = told.CalculateSize();

    /// <summary>Its bytes, made for the first who asks.</summary>
    public ReadOnlyMemory<byte> Packed => _packed ??= Event.ToByteArray();
}
