using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class UniqueKeyTests
{
    [Fact(Timeout = 60_000)]
    public async Task A_thousand_submissions_of_one_key_at_a_time_are_one_live_task()
    {
        await using TestServer server = await TestServer.StartAsync();
        SubmitResponse[] answers = await System.Threading.Tasks.Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => SubmitAsync(server, new TaskSpec { Kind = "gate", UniqueKey = "k" })));
        Assert.Equal(1, answers.Count(static answer => answer.Created));
        Assert.Single(answers.Select(static answer => answer.Task.Id).Distinct());
        Assert.Equal(1, await server.CountAsync());
        Assert.Equal(1, server.Gate.MostRunning);
    }

    [Fact(Timeout = 20_000)]
    public async Task The_live_task_is_answered_refused_for_or_replaced()
    {
        await using TestServer server = await TestServer.StartAsync();
        await SubmitAsync(server, Task("first", ConflictPolicy.Unspecified, delay: 600));
        SubmitResponse existing = await SubmitAsync(server, Task("second", ConflictPolicy.UseExisting));
        Assert.Equal(("first", false), (existing.Task.Id, existing.Created));
        ErrorInfo rejected = (await Refused.WithAsync(StatusCode.AlreadyExists, Submit(server, Task("third", ConflictPolicy.Reject)))).Detail<ErrorInfo>();
        Assert.Equal(("UNIQUE_KEY_HELD", "first", "k", "SCHEDULED"), (rejected.Reason, rejected.Metadata["id"], rejected.Metadata["unique_key"], rejected.Metadata["state"]));
        Assert.True((await SubmitAsync(server, Task("fourth", ConflictPolicy.Replace))).Created);
        TaskInfo replaced = await server.GetAsync("first");
        Assert.Equal((TaskState.Cancelled, "replaced"), (replaced.State, replaced.Cancellation.Reason));
        await server.Gate.NextStartAsync();
        await Refused.WithAsync(StatusCode.AlreadyExists, Submit(server, Task("fifth", ConflictPolicy.Replace)));
    }

    [Fact(Timeout = 20_000)]
    public async Task Whose_key_is_held_is_not_retried()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.RunAsync(new TaskSpec { Id = "failed", Kind = "fail", UniqueKey = "k" });
        await SubmitAsync(server, Task("live", ConflictPolicy.Reject));
        RpcException refusal = await Refused.WithAsync(StatusCode.FailedPrecondition, server.Client.RetryAsync(new RetryRequest { Id = "failed" }, TestServer.Call));
        Assert.Equal(("UNIQUE_KEY_HELD", "live"), (refusal.Detail<ErrorInfo>().Reason, refusal.Detail<ErrorInfo>().Metadata["id"]));
    }

    [Fact(Timeout = 20_000)]
    public async Task Batches_and_streams_know_keys_of_items_before()
    {
        await using TestServer server = await TestServer.StartAsync();
        var atomic = new SubmitBatchRequest { Atomic = true, Tasks = { Task("a", ConflictPolicy.Reject), Task("b", ConflictPolicy.Reject) } };
        SubmitBatchResponse refused = await server.Client.SubmitBatchAsync(atomic, TestServer.Call);
        Assert.Equal(["BATCH_ABORTED", "UNIQUE_KEY_HELD"], refused.Results.Select(static result => result.Error.Reason));
        var each = new SubmitBatchRequest { Tasks = { Task("a", ConflictPolicy.Reject), Task("b", ConflictPolicy.Reject), Task("c", ConflictPolicy.UseExisting) } };
        SubmitBatchResponse answered = await server.Client.SubmitBatchAsync(each, TestServer.Call);
        Assert.Equal(["a", "UNIQUE_KEY_HELD", "a"], answered.Results.Select(static result => result.Task?.Id ?? result.Error.Reason));

        using var stream = server.Client.SubmitStream(TestServer.Call);
        var items = new SubmitStreamRequest { Items = { new SubmitStreamItem { Sequence = 1, Task = Task("d", ConflictPolicy.UseExisting) }, new SubmitStreamItem { Sequence = 2, Task = Task("e", ConflictPolicy.Reject) } } };
        await stream.RequestStream.WriteAsync(items, TestContext.Current.CancellationToken);
        await stream.RequestStream.CompleteAsync();
        var results = new List<SubmitStreamResult>();
        while (await stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            results.AddRange(stream.ResponseStream.Current.Results);
        Assert.Equal([("a", ""), ("", "UNIQUE_KEY_HELD")], results.Select(static result => (result.Id, result.Error?.Reason ?? "")));
    }

    [Fact(Timeout = 20_000)]
    public async Task A_full_queue_refuses_none_whose_key_is_held()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Queues["small"] = new QueueOptions { Capacity = 1, Limit = 1, WhenFull = FullPolicy.Reject });
        TaskSpec waiting = Task("waiting", ConflictPolicy.Reject, delay: 600);
        waiting.Queue = "small";
        await SubmitAsync(server, waiting);
        Assert.Equal("waiting", (await SubmitAsync(server, new TaskSpec(waiting) { Id = "x", OnConflict = ConflictPolicy.UseExisting })).Task.Id);
        Assert.True((await SubmitAsync(server, new TaskSpec(waiting) { Id = "y", OnConflict = ConflictPolicy.Replace })).Created);
        await Refused.WithAsync(StatusCode.ResourceExhausted, Submit(server, new TaskSpec(waiting) { Id = "z", UniqueKey = "free" }));
    }

    [Fact(Timeout = 20_000)]
    public async Task Who_submits_and_watches_is_told_of_the_live_task()
    {
        await using TestServer server = await TestServer.StartAsync();
        await SubmitAsync(server, Task("live", ConflictPolicy.Reject));
        await server.Gate.NextStartAsync();
        using var watch = server.Client.SubmitAndWatch(new SubmitAndWatchRequest { Task = Task("second", ConflictPolicy.UseExisting) }, TestServer.Call);
        Assert.True(await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal(("live", false), (watch.ResponseStream.Current.Events[0].Task.Id, watch.ResponseStream.Current.Created));
        server.Gate.Open();
        TaskInfo? last = null;
        while (await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            last = watch.ResponseStream.Current.Events.LastOrDefault()?.Task ?? last;
        Assert.Equal(TaskState.Succeeded, last!.State);
    }

    private static TaskSpec Task(string id, ConflictPolicy policy, int delay = 0)
    {
        var task = new TaskSpec { Id = id, Kind = "gate", UniqueKey = "k", OnConflict = policy };
        if (delay > 0)
            task.Delay = new Duration { Seconds = delay };
        return task;
    }

    private static AsyncUnaryCall<SubmitResponse> Submit(TestServer server, TaskSpec task) => server.Client.SubmitAsync(new SubmitRequest { Task = task }, TestServer.Call);

    private static async Task<SubmitResponse> SubmitAsync(TestServer server, TaskSpec task) => await Submit(server, task);
}
