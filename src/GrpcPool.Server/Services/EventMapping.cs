using Google.Protobuf;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Watching;
using Event = GrpcPool.V1.WatchEvent;
using EventType = GrpcPool.V1.WatchEventType;

namespace GrpcPool.Server.Services;

/// <summary>From the hub's events to those of the contract, serialised, each as a response of its own: the common form is made once and shared by all who watch.</summary>
internal sealed class EventMapping(TaskPool pool, V1.TaskView detail)
{
    /// <summary>
    /// How many bytes of events go into one message; a single event may be larger. Below the size from which .NET, where a reader puts a message together, takes it
    /// for a large object.
    /// </summary>
    private const int MessageBytesMax = 64 * 1024;

    private static readonly byte[] Synced = Pack(new Event { Type = EventType.Synced });

    /// <summary>Cuts a batch into messages: the events of each, and the revision that a reader knows after it.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="before">The revision that the reader knows already.</param>
    public IEnumerable<(IReadOnlyList<byte[]> Events, long Revision)> Cut(WatchBatch batch, long before)
    {
        var events = new List<byte[]>(batch.Events.Count);
        int bytes = 0;
        for (int i = 0; i < batch.Events.Count; i++)
        {
            byte[] form = Map(batch.Events[i]);
            if (events.Count > 0 && bytes + form.Length > MessageBytesMax)
            {
                yield return (events, batch.Revision == 0 ? 0 : Math.Max(before, Watch.RevisionOf(batch.Events.Take(i))));
                (events, bytes) = ([], 0);
            }

            events.Add(form);
            bytes += form.Length;
        }

        yield return (events, batch.Revision);
    }

    private byte[] Map(WatchEvent told)
    {
        if (told.Change is not { } change)
            return Synced;
        bool shared = detail != V1.TaskView.Full && told.Type != WatchEventType.Snapshot;
        return shared ? change.WireForm<byte[]>() ?? change.SetWireForm(Make(told.Type, change)) : Make(told.Type, change);
    }

    private byte[] Make(WatchEventType type, TaskChange change)
    {
        if (type == WatchEventType.Deleted)
            return Pack(new Event { Type = EventType.Deleted, Task = ProtoMapping.ToName(change.Task.Id) });
        TaskView task = type == WatchEventType.Snapshot ? pool.View(change.Task) : pool.View(change);
        return detail == V1.TaskView.Full ? Pack(new Event { Type = (EventType)type, Task = ProtoMapping.ToInfo(task, detail) }) : Packing.ToEvent((EventType)type, task);
    }

    private static byte[] Pack(Event told) => new V1.WatchResponse { Events = { told } }.ToByteArray();
}
