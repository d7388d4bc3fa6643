using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class DependencyTests
{
    [Fact(Timeout = 20_000)]
    public async Task A_batch_that_is_a_diamond_runs_in_order_across_two_queues()
    {
        await using TestServer server = await TestServer.StartAsync();
        var batch = new SubmitBatchRequest
        {
            Atomic = true,
            Tasks = { After("top"), After("left", "top"), After("right", "top"), After("bottom", "left", "right") },
        };
        batch.Tasks[2].Queue = "other";
        Assert.All((await server.Client.SubmitBatchAsync(batch, TestServer.Call)).Results, static result => Assert.True(result.Created, result.Error?.Message));
        TaskInfo waiting = await server.GetAsync("bottom");
        Assert.Equal((TaskState.Scheduled, WaitingReason.After), (waiting.State, waiting.WaitingReason));
        server.Gate.Open();
        Assert.Equal(TaskState.Succeeded, (await server.EndOfAsync("bottom")).State);
        TaskInfo[] tasks = [await server.GetAsync("top"), await server.GetAsync("left"), await server.GetAsync("right"), await server.GetAsync("bottom")];
        Assert.True(tasks[0].FinishedAt <= tasks[1].StartedAt && tasks[0].FinishedAt <= tasks[2].StartedAt);
        Assert.True(tasks[1].FinishedAt <= tasks[3].StartedAt && tasks[2].FinishedAt <= tasks[3].StartedAt);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_failure_cancels_or_not_as_the_policy_says()
    {
        await using TestServer server = await TestServer.StartAsync();
        server.Gate.Open();
        await server.SubmitAsync(new TaskSpec { Id = "bad", Kind = "fail", Delay = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(200)) });
        await server.SubmitAsync(After("cancelled", "bad"));
        await server.SubmitAsync(new TaskSpec(After("anyway", "bad")) { AfterPolicy = AfterPolicy.RunAnyway });
        TaskInfo cancelled = await server.EndOfAsync("cancelled");
        Assert.Equal((TaskState.Cancelled, "the task bad, after which it was to run, ended FAILED"), (cancelled.State, cancelled.Cancellation.Reason));
        Assert.Equal(TaskState.Succeeded, (await server.EndOfAsync("anyway")).State);
        Assert.Equal(TaskState.Cancelled, (await server.SubmitAsync(After("late", "bad"))).State);
    }

    [Fact(Timeout = 20_000)]
    public async Task What_others_wait_for_cannot_be_deleted()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.RunAsync(new TaskSpec { Id = "first", Kind = "echo" });
        await server.SubmitAsync(After("second", "first"));
        RpcException refusal = await Refused.WithAsync(StatusCode.FailedPrecondition, server.Client.DeleteAsync(new DeleteRequest { Id = "first" }, TestServer.Call));
        Assert.Equal("AWAITED", refusal.Detail<ErrorInfo>().Reason);
        server.Gate.Open();
        await server.EndOfAsync("second");
        await server.Client.DeleteAsync(new DeleteRequest { Id = "first" }, TestServer.Call);
    }

    [Fact(Timeout = 20_000)]
    public async Task An_unknown_task_is_named_with_its_place()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitAsync(After("a"));
        RpcException refusal = await Refused.WithAsync(StatusCode.NotFound, server.Client.SubmitAsync(new SubmitRequest { Task = After("b", "a", "nobody") }, TestServer.Call));
        Assert.Equal(("TASK_NOT_FOUND", "nobody"), (refusal.Detail<ErrorInfo>().Reason, refusal.Detail<ErrorInfo>().Metadata["id"]));
        Assert.Equal(["after[1]"], Refused.FieldsOf(refusal));
        SubmitBatchResponse batch = await server.Client.SubmitBatchAsync(new SubmitBatchRequest { Tasks = { After("c", "d"), After("d", "a") } }, TestServer.Call);
        Assert.Equal([("after[0]", false), ("", true)], batch.Results.Select(static result => (result.Error?.Field ?? "", result.Created)));
    }

    [Fact(Timeout = 20_000)]
    public async Task A_stream_takes_chains()
    {
        await using TestServer server = await TestServer.StartAsync();
        server.Gate.Open();
        using var stream = server.Client.SubmitStream(TestServer.Call);
        var items = new SubmitStreamRequest { Items = { Enumerable.Range(0, 500).Select(static i => new SubmitStreamItem { Sequence = i, Task = i == 0 ? After("t0") : After($"t{i}", $"t{i - 1}") }) } };
        await stream.RequestStream.WriteAsync(items, TestContext.Current.CancellationToken);
        await stream.RequestStream.CompleteAsync();
        while (await stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            Assert.All(stream.ResponseStream.Current.Results, static result => Assert.True(result.Created, result.Error?.Message));
        Assert.Equal(TaskState.Succeeded, (await server.EndOfAsync("t499")).State);
        Assert.Equal(1, server.Gate.MostRunning);
    }

    private static TaskSpec After(string id, params string[] parents) => new() { Id = id, Kind = "gate", After = { parents } };
}
