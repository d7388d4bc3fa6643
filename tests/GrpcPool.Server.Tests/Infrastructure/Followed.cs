using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Infrastructure;

/// <summary>A watch as a client follows it: what it knows of each task, what it was told, and whence it may resume.</summary>
internal sealed class Followed(TestServer server, WatchRequest request) : IDisposable
{
    private readonly AsyncServerStreamingCall<WatchResponse> _call = server.Client.Watch(request, TestServer.Call);

    /// <summary>Of each task what is newest.</summary>
    public Dictionary<string, TaskInfo> Tasks { get; } = [];

    public List<WatchEvent> Events { get; } = [];

    public List<WatchResponse> Messages { get; } = [];

    public long Revision { get; private set; }

    public int HeartbeatCount { get; private set; }

    public bool IsSynced => Events.Any(static told => told.Type == WatchEventType.Synced);

    /// <summary>Reads one message; false at the end.</summary>
    public async Task<bool> ReadAsync()
    {
        if (!await _call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            return false;
        WatchResponse message = _call.ResponseStream.Current;
        Messages.Add(message);
        Assert.InRange(message.CalculateSize(), 0, 3_670_016);
        foreach (WatchEvent told in message.Events)
            Take(told);
        Assert.True(message.Revision >= Revision, "a revision went back");
        Assert.Equal(IsSynced || request.AfterRevision > 0, message.Revision > 0);
        Revision = message.Revision;
        HeartbeatCount += message.Events.Count == 0 ? 1 : 0;
        return true;
    }

    public async Task UntilAsync(Func<Followed, bool> holds)
    {
        while (!holds(this))
            Assert.True(await ReadAsync(), "the stream has ended");
    }

    public Task UntilSyncedAsync() => UntilAsync(static watch => watch.IsSynced);

    public async Task UntilEndAsync()
    {
        while (await ReadAsync())
        {
        }
    }

    public async Task<RpcException> UntilRefusedAsync(StatusCode code) => await Refused.WithAsync(code, UntilEndAsync());

    public void Dispose() => _call.Dispose();

    private void Take(WatchEvent told)
    {
        Events.Add(told);
        if (told.Task is not { } task)
            return;
        bool known = Tasks.TryGetValue(task.Id, out TaskInfo? former);
        if (told.Type == WatchEventType.Deleted)
        {
            Tasks.Remove(task.Id);
            return;
        }

        Assert.False(known && task.Version < former!.Version, $"{task.Id} went back from version {former?.Version} to {task.Version}");
        Tasks[task.Id] = task;
    }
}
