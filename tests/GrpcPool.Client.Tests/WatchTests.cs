using Grpc.Core;
using GrpcPool.Client.Tests.Infrastructure;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Client.Tests;

public sealed class WatchTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact(Timeout = 60_000)]
    public async Task A_watched_task_is_seen_to_its_end_over_cut_connections()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using var proxy = new TcpProxy(server.GrpcAddress);
        using GrpcPoolClient client = TestClient.Of(proxy.Address, _time);
        TaskHandle task = await client.SubmitAsync(TestClient.Gate(), TestClient.Stop);
        await server.Gate.NextStartAsync();

        var seen = new List<TaskInfo>();
        await using IAsyncEnumerator<TaskInfo> watch = task.WatchAsync(TaskView.Full, TestClient.Stop).GetAsyncEnumerator(TestClient.Stop);
        while (await _time.PassUntilAsync(watch.MoveNextAsync().AsTask()))
        {
            seen.Add(watch.Current);
            proxy.Cut();
            server.Gate.Open();
        }

        Assert.Equal(seen.Select(static told => told.Version).Order().Distinct(), seen.Select(static told => told.Version));
        Assert.Equal([TaskState.Running, TaskState.Succeeded], seen.Select(static told => told.State));
        Assert.Equal("opened", seen[^1].Result.ToStringUtf8());
    }

    [Fact(Timeout = 60_000)]
    public async Task A_watched_task_that_is_deleted_is_gone()
    {
        var pool = new StubPool
        {
            OnWatch = static (_, stream, ending) =>
                stream.WriteAsync(Message(1, Event(WatchEventType.Snapshot, "a", 1), Event(WatchEventType.Deleted, "a", 1)), ending)
        };
        await using StubServer server = await StubServer.StartAsync(pool);
        using GrpcPoolClient client = TestClient.Of(server.Address);
        await Assert.ThrowsAsync<TaskGoneException>(async () => await client.GetTask("a").WatchAsync(cancellationToken: TestClient.Stop).ToListAsync(TestClient.Stop));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_filter_is_watched_without_a_gap_over_random_cuts()
    {
        const int Tasks = 300;
        await using TestServer server = await TestServer.StartAsync();
        await using var proxy = new TcpProxy(server.GrpcAddress);
        using GrpcPoolClient client = TestClient.Of(proxy.Address, _time);
        var random = new Random(42);
        var ended = new HashSet<string>();
        await using IAsyncEnumerator<TaskEvent> watch = client.WatchAsync(new TaskFilter(), cancellationToken: TestClient.Stop).GetAsyncEnumerator(TestClient.Stop);
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal(WatchEventType.Synced, watch.Current.Type);
        for (int i = 0; i < Tasks; i++)
        {
            await server.Client.SubmitAsync(new SubmitRequest { Task = TestClient.Echo(id: $"t{i}") }, TestServer.Call);
            if (random.Next(20) == 0)
                proxy.Cut();
        }

        while (ended.Count < Tasks)
        {
            Assert.True(await _time.PassUntilAsync(watch.MoveNextAsync().AsTask()));
            Assert.False(watch.Current.Restarted);
            if (watch.Current.Task is { } task && task.State.IsFinal())
                ended.Add(task.Id);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task After_the_restart_of_a_memory_server_a_watch_starts_anew_and_says_so()
    {
        await using var proxy = new TcpProxy(null);
        using GrpcPoolClient client = TestClient.Of(proxy.Address, _time);
        await using IAsyncEnumerator<TaskEvent> watch = client.WatchAsync(new TaskFilter(), cancellationToken: TestClient.Stop).GetAsyncEnumerator(TestClient.Stop);
        await using (TestServer before = await TestServer.StartAsync())
        {
            proxy.Lead(before.GrpcAddress);
            await before.Client.SubmitAsync(new SubmitRequest { Task = TestClient.Gate("former") }, TestServer.Call);
            Assert.True(await _time.PassUntilAsync(watch.MoveNextAsync().AsTask()));
            while (watch.Current.Type != WatchEventType.Synced)
                Assert.True(await watch.MoveNextAsync());
            proxy.Lead(null);
        }

        await using TestServer after = await TestServer.StartAsync();
        await after.Client.SubmitAsync(new SubmitRequest { Task = TestClient.Gate("later") }, TestServer.Call);
        proxy.Lead(after.GrpcAddress);
        do
            Assert.True(await _time.PassUntilAsync(watch.MoveNextAsync().AsTask()));
        while (watch.Current.Task?.Id == "former");
        Assert.Equal((true, WatchEventType.Snapshot, "later"), (watch.Current.Restarted, watch.Current.Type, watch.Current.Task?.Id));
        Assert.True(await watch.MoveNextAsync());
        Assert.False(watch.Current.Restarted);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_watch_that_is_cut_within_its_snapshot_starts_anew_and_says_so()
    {
        int streams = 0;
        var pool = new StubPool
        {
            OnWatch = async (request, stream, ending) =>
            {
                Assert.Equal(0, request.AfterRevision);
                await stream.WriteAsync(Message(0, Event(WatchEventType.Snapshot, "a", 1)), ending);
                if (++streams == 1)
                    throw new RpcException(new Status(StatusCode.Unavailable, "cut"));
                await stream.WriteAsync(Message(7, Event(WatchEventType.Synced)), ending);
            },
        };
        await using StubServer server = await StubServer.StartAsync(pool);
        using GrpcPoolClient client = TestClient.Of(server.Address, _time);
        List<TaskEvent> events = await _time.PassUntilAsync(client.WatchAsync(new TaskFilter(), cancellationToken: TestClient.Stop).ToListAsync(TestClient.Stop).AsTask(), 0.01);
        Assert.Equal([(false, 0L), (true, 0L), (false, 7L)], events.Select(static told => (told.Restarted, told.Revision)));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_stream_without_its_heartbeats_is_left_for_another_that_resumes()
    {
        var resumed = new List<long>();
        var pool = new StubPool
        {
            OnWatch = async (request, stream, ending) =>
            {
                resumed.Add(request.AfterRevision);
                await stream.WriteAsync(Message(resumed.Count, Event(WatchEventType.Changed, "a", resumed.Count)), CancellationToken.None);
                if (resumed.Count < 3)
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ending);
            },
        };
        await using StubServer server = await StubServer.StartAsync(pool);
        using GrpcPoolClient client = TestClient.Of(server.Address, _time);
        await using IAsyncEnumerator<TaskEvent> watch = client.WatchAsync(new TaskFilter(), cancellationToken: TestClient.Stop).GetAsyncEnumerator(TestClient.Stop);
        Assert.True(await watch.MoveNextAsync());
        for (int silence = 1; silence <= 2; silence++)
        {
            Task<bool> next = watch.MoveNextAsync().AsTask();
            _time.Advance(TimeSpan.FromSeconds(15));
            Assert.True(await _time.PassUntilAsync(next, 0.01));
            Assert.Equal(silence + 1, watch.Current.Revision);
        }

        Assert.Equal([0, 1, 2], resumed);
    }

    [Fact(Timeout = 60_000)]
    public async Task Who_leaves_a_watch_early_leaves_no_stream_behind()
    {
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var pool = new StubPool
        {
            OnWatch = async (_, stream, ending) =>
            {
                using CancellationTokenRegistration registration = ending.Register(left.SetResult);
                await stream.WriteAsync(Message(1, Event(WatchEventType.Synced)), CancellationToken.None);
                await left.Task;
            },
        };
        await using StubServer server = await StubServer.StartAsync(pool);
        using GrpcPoolClient client = TestClient.Of(server.Address);
        await client.WatchAsync(new TaskFilter(), cancellationToken: TestClient.Stop).FirstAsync(TestClient.Stop);
        await left.Task.WaitAsync(TestClient.Stop);
    }

    private static WatchResponse Message(long revision, params WatchEvent[] events) => new() { Revision = revision, Events = { events } };

    private static WatchEvent Event(WatchEventType type, string? id = null, long version = 0) => new() { Type = type, Task = id is null ? null : new TaskInfo { Id = id, Version = version } };
}
