using System.Globalization;
using Google.Rpc;
using Grpc.Core;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

/// <summary>A queue of capacity 100 that is held up by a running task, and the 101st.</summary>
public sealed class FullQueueTests
{
    [Fact(Timeout = 20_000)]
    public async Task Reject_refuses_it_and_says_when_to_come_again()
    {
        await using TestServer server = await StartFullAsync(FullPolicy.Reject);
        RpcException refusal = await Refused.WithAsync(StatusCode.ResourceExhausted, Submit(server, "t101"));
        ErrorInfo info = refusal.Detail<ErrorInfo>();
        Assert.Equal(("QUEUE_FULL", "default", "100"), (info.Reason, info.Metadata["queue"], info.Metadata["capacity"]));
        Assert.True(refusal.Detail<RetryInfo>().RetryDelay.ToTimeSpan() > TimeSpan.Zero);
        Assert.False((await Submit(server, "t100")).Created);
        Assert.Equal(101, await server.CountAsync());
    }

    [Fact(Timeout = 20_000)]
    public async Task Reject_lets_the_other_queues_go_on()
    {
        await using TestServer server = await StartFullAsync(FullPolicy.Reject);
        await server.SubmitAsync(new TaskSpec { Kind = "gate", Queue = "other" });
        Assert.Equal(101, await server.CountAsync(TaskState.Queued));
    }

    [Fact(Timeout = 20_000)]
    public async Task Wait_lets_it_in_as_soon_as_there_is_room()
    {
        await using TestServer server = await StartFullAsync(FullPolicy.Wait);
        using AsyncUnaryCall<SubmitResponse> first = Submit(server, "t101"), second = Submit(server, "t102");
        await Refused.WithAsync(StatusCode.DeadlineExceeded, Submit(server, "late", TestServer.Call.WithDeadline(Soon)));
        Assert.False(first.ResponseAsync.IsCompleted || second.ResponseAsync.IsCompleted);

        await server.CancelAsync("t1");
        SubmitResponse admitted = await await Task.WhenAny(first.ResponseAsync, second.ResponseAsync);
        Assert.Equal((true, TaskState.Queued), (admitted.Created, admitted.Task.State));
        await server.CancelAsync("t2");
        Assert.True((await first).Created && (await second).Created);
        await Refused.WithAsync(StatusCode.NotFound, server.Client.GetStatusAsync(new GetStatusRequest { Id = "late" }, TestServer.Call));
    }

    [Fact(Timeout = 20_000)]
    public async Task Wait_rejects_when_too_many_wait()
    {
        await using TestServer server = await StartFullAsync(FullPolicy.Wait, static options => options.Limits.Waiters = 0);
        RpcException refusal = await Refused.WithAsync(StatusCode.ResourceExhausted, Submit(server, "t101"));
        Assert.Equal("Limits:Waiters", refusal.Detail<ErrorInfo>().Metadata["setting"]);
        Assert.NotNull(refusal.Detail<RetryInfo>().RetryDelay);
    }

    [Fact(Timeout = 20_000)]
    public async Task Wait_is_answered_unavailable_when_the_server_shuts_down()
    {
        await using TestServer server = await StartFullAsync(FullPolicy.Wait);
        using AsyncUnaryCall<SubmitResponse> waiting = Submit(server, "t101");
        await Refused.WithAsync(StatusCode.DeadlineExceeded, Submit(server, "late", TestServer.Call.WithDeadline(Soon)));
        await server.StopAsync();
        await Refused.WithAsync(StatusCode.Unavailable, waiting);
    }

    [Fact(Timeout = 20_000)]
    public async Task Discard_oldest_lets_it_in_the_place_of_the_oldest()
    {
        await using TestServer server = await StartFullAsync(FullPolicy.DiscardOldest);
        Assert.True((await Submit(server, "t101")).Created);
        TaskInfo displaced = await server.GetAsync("t1");
        Assert.Equal((TaskState.Cancelled, "displaced"), (displaced.State, displaced.Cancellation.Reason));
        Assert.Equal(100, await server.CountAsync(TaskState.Queued));
        Assert.Equal(1, await server.CountAsync(TaskState.Cancelled));
    }

    [Fact(Timeout = 20_000)]
    public async Task Discard_oldest_spares_what_has_a_higher_priority()
    {
        await using TestServer server = await StartFullAsync(FullPolicy.DiscardOldest);
        RpcException refusal = await Refused.WithAsync(StatusCode.ResourceExhausted, Submit(server, "t101", priority: -1));
        Assert.Equal("QUEUE_FULL", refusal.Detail<ErrorInfo>().Reason);
        Assert.NotNull(refusal.Detail<RetryInfo>().RetryDelay);
        Assert.Equal(0, await server.CountAsync(TaskState.Cancelled));
        Assert.True((await Submit(server, "t102", priority: 1)).Created);
    }

    [Fact(Timeout = 20_000)]
    public async Task Discard_oldest_displaces_nothing_for_an_id_that_is_known()
    {
        await using TestServer server = await StartFullAsync(FullPolicy.DiscardOldest);
        Assert.False((await Submit(server, "t100")).Created);
        await Refused.WithAsync(StatusCode.AlreadyExists, Submit(server, "t100", priority: 5));
        Assert.Equal(0, await server.CountAsync(TaskState.Cancelled));
    }

    [Fact(Timeout = 20_000)]
    public async Task A_retry_is_let_in_although_the_queue_is_full()
    {
        await using TestServer server = await StartFullAsync(FullPolicy.Reject);
        await server.CancelAsync("t1");
        await Submit(server, "t101");
        Assert.Equal(TaskState.Queued, (await server.Client.RetryAsync(new RetryRequest { Id = "t1" }, TestServer.Call)).Task.State);
        Assert.Equal(101, await server.CountAsync(TaskState.Queued));
    }

    private static DateTime Soon => TimeProvider.System.GetUtcNow().UtcDateTime.AddMilliseconds(500);

    private static async Task<TestServer> StartFullAsync(FullPolicy policy, Action<GrpcPoolOptions>? configure = null)
    {
        TestServer server = await TestServer.StartAsync(options =>
        {
            options.Pool.Slots = 1;
            options.Queues["default"] = new QueueOptions { Capacity = 100, WhenFull = policy };
            configure?.Invoke(options);
        });
        await server.SubmitAsync(new TaskSpec { Kind = "gate", Id = "runs" });
        await server.Gate.NextStartAsync();
        for (int i = 1; i <= 100; i++)
            Assert.Equal(TaskState.Queued, (await Submit(server, string.Create(CultureInfo.InvariantCulture, $"t{i}"))).Task.State);
        return server;
    }

    private static AsyncUnaryCall<SubmitResponse> Submit(TestServer server, string id, CallOptions? call = null, int priority = 0) =>
        server.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Id = id, Kind = "gate", Priority = priority } }, call ?? TestServer.Call);
}
