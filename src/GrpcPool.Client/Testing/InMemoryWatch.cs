using System.Threading.Channels;
using GrpcPool.V1;

namespace GrpcPool.Client.Testing;

/// <summary>Who watches tasks in memory. Not thread-safe but for its reader.</summary>
/// <param name="request">What is asked for.</param>
/// <param name="ids">The tasks that are watched by their ids; null for a filter.</param>
internal sealed class InMemoryWatch(WatchRequest request, InMemoryTask[]? ids)
{
    private readonly TaskFilter _filter = request.Filter ?? new TaskFilter();
    private readonly Channel<WatchResponse> _messages = Channel.CreateUnbounded<WatchResponse>();

    public ChannelReader<WatchResponse> Messages => _messages.Reader;

    public void Begin(IEnumerable<InMemoryTask> all, long revision)
    {
        var message = new WatchResponse { Revision = revision };
        IEnumerable<InMemoryTask> found = request.SkipSnapshot ? [] : ids ?? all.Where(task => task.Matches(_filter, withState: true));
        message.Events.AddRange(found.Select(task => Event(WatchEventType.Snapshot, task)));
        message.Events.Add(new WatchEvent { Type = WatchEventType.Synced });
        Send(message);
    }

    public void Tell(WatchEventType type, InMemoryTask task, long revision)
    {
        if (ids is null ? task.Matches(_filter, withState: false) : ids.Contains(task))
            Send(new WatchResponse { Revision = revision, Events = { Event(type, task) } });
    }

    private WatchEvent Event(WatchEventType type, InMemoryTask task) => new() { Type = type, Task = task.View(request.View) };

    private void Send(WatchResponse message)
    {
        _messages.Writer.TryWrite(message);
        if (ids is not null && ids.All(static task => task.Info.State.IsFinal()))
            _messages.Writer.TryComplete();
    }
}
