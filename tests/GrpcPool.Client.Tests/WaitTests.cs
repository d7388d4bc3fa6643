using Grpc.Core;
using GrpcPool.Client.Tests.Infrastructure;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Client.Tests;

public sealed class WaitTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact(Timeout = 60_000)]
    public async Task An_awaited_handle_ends_with_the_result_over_cut_connections()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using var proxy = new TcpProxy(server.GrpcAddress);
        using GrpcPoolClient client = TestClient.Of(proxy.Address, _time);
        TaskHandle task = await client.SubmitAsync(TestClient.Gate(), TestClient.Stop);
        await proxy.NextConnectionAsync();
        await server.Gate.NextStartAsync();

        Task<TaskInfo> end = task.WaitAsync(TestClient.Stop);
        for (int cut = 0; cut < 5; cut++)
        {
            proxy.Cut();
            await _time.PassUntilAsync(NextAsync(proxy));
        }

        server.Gate.Open();
        Assert.Equal("opened", (await _time.PassUntilAsync(end)).Result.ToStringUtf8());
    }

    [Fact(Timeout = 60_000)]
    public async Task An_awaited_handle_outlasts_a_server_that_is_away_for_long()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using var proxy = new TcpProxy(server.GrpcAddress);
        using GrpcPoolClient client = TestClient.Of(proxy.Address, _time);
        TaskHandle task = await client.SubmitAsync(TestClient.Gate(), TestClient.Stop);
        proxy.Lead(null);
        Task<TaskInfo> end = task.WaitAsync(TestClient.Stop);
        for (int attempt = 0; attempt < 20; attempt++)
            await _time.PassUntilAsync(NextAsync(proxy));
        proxy.Lead(server.GrpcAddress);
        server.Gate.Open();
        Assert.Equal(TaskState.Succeeded, (await _time.PassUntilAsync(end)).State);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_connection_whose_other_side_is_gone_without_a_word_is_replaced()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using var proxy = new TcpProxy(server.GrpcAddress);
        using GrpcPoolClient client = TestClient.Of(proxy.Address, _time, static options => options.PingAfter = options.PingTimeout = TimeSpan.FromSeconds(1));
        TaskHandle task = await client.SubmitAsync(TestClient.Gate(), TestClient.Stop);
        await proxy.NextConnectionAsync();
        Task<TaskInfo> end = task.WaitAsync(TestClient.Stop);
        proxy.Freeze();
        server.Gate.Open();
        await server.Client.WaitAsync(new WaitRequest { Id = task.Id }, TestServer.Call);
        proxy.Thaw();
        Assert.Equal(TaskState.Succeeded, (await _time.PassUntilAsync(end)).State);
        await proxy.NextConnectionAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task After_the_restart_of_a_memory_server_an_awaited_task_is_gone()
    {
        await using var proxy = new TcpProxy(null);
        using GrpcPoolClient client = TestClient.Of(proxy.Address, _time);
        Task<TaskInfo> end;
        await using (TestServer before = await TestServer.StartAsync())
        {
            proxy.Lead(before.GrpcAddress);
            TaskHandle task = await _time.PassUntilAsync(client.SubmitAsync(TestClient.Gate("lost"), TestClient.Stop));
            end = task.WaitAsync(TestClient.Stop);
            await before.Gate.NextStartAsync();
            proxy.Lead(null);
        }

        await using TestServer after = await TestServer.StartAsync();
        proxy.Lead(after.GrpcAddress);
        TaskGoneException gone = await Assert.ThrowsAsync<TaskGoneException>(() => _time.PassUntilAsync(end));
        Assert.Equal("lost", gone.Id);
        Assert.Contains("restarted without durable storage", gone.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task An_unknown_task_is_gone_for_every_question()
    {
        await using TestServer server = await TestServer.StartAsync();
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress);
        TaskHandle task = client.GetTask("unknown");
        await Assert.ThrowsAsync<TaskGoneException>(async () => await task);
        await Assert.ThrowsAsync<TaskGoneException>(() => task.GetStatusAsync(cancellationToken: TestClient.Stop));
        await Assert.ThrowsAsync<TaskGoneException>(() => task.CancelAsync(cancellationToken: TestClient.Stop));
        await Assert.ThrowsAsync<TaskGoneException>(async () => await task.WatchAsync(cancellationToken: TestClient.Stop).ToListAsync(TestClient.Stop));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false, TaskState.Failed, "HandlerError")]
    [InlineData(true, TaskState.Cancelled, "no longer wanted")]
    public async Task A_result_of_a_task_that_did_not_succeed_is_an_exception_with_the_task(bool cancel, TaskState state, string why)
    {
        await using TestServer server = await TestServer.StartAsync();
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress);
        TaskHandle task = await client.SubmitAsync(cancel ? TestClient.Gate() : new TaskSpec { Kind = "fail" }, TestClient.Stop);
        if (cancel)
            await task.CancelAsync(why, TimeSpan.FromSeconds(1), TestClient.Stop);
        TaskFailedException failure = await Assert.ThrowsAsync<TaskFailedException>(() => task.GetResultAsync(TestClient.Stop));
        Assert.Equal((task.Id, state), (failure.Task.Id, failure.Task.State));
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Who_stops_waiting_does_not_stop_the_task()
    {
        await using TestServer server = await TestServer.StartAsync();

        // Who leaves while his request is being read is an error to gRPC's own log.
        server.Expected = static entry => entry.Fault is IOException;
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress);
        TaskHandle task = await client.SubmitAsync(TestClient.Gate(), TestClient.Stop);
        await server.Gate.NextStartAsync();
        using var cancellation = new CancellationTokenSource();
        Task<TaskInfo> end = task.WaitAsync(cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => end);
        Assert.Equal(TaskState.Running, (await task.GetStatusAsync(cancellationToken: TestClient.Stop)).State);
    }

    [Fact(Timeout = 60_000)]
    public async Task Waiting_ends_with_the_error_where_the_server_stays_away_for_longer_than_allowed()
    {
        await using var proxy = new TcpProxy(null);
        using GrpcPoolClient client = TestClient.Of(proxy.Address, _time, static options => options.ReconnectFor = TimeSpan.FromMinutes(10));
        RpcException error = await Assert.ThrowsAsync<RpcException>(() => _time.PassUntilAsync(client.GetTask("a").WaitAsync(TestClient.Stop)));
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
    }

    private static async Task<bool> NextAsync(TcpProxy proxy)
    {
        await proxy.NextConnectionAsync();
        return true;
    }
}
