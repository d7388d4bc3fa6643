using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class StatusTests
{
    [Fact(Timeout = 20_000)]
    public async Task An_unknown_task_is_not_found()
    {
        await using TestServer server = await TestServer.StartAsync();
        RpcException refusal = await Refused.WithAsync(StatusCode.NotFound, Get(server, new GetStatusRequest { Id = "nobody" }));
        Assert.Equal(("TASK_NOT_FOUND", "nobody"), (refusal.Detail<ErrorInfo>().Reason, refusal.Detail<ErrorInfo>().Metadata["id"]));
        Assert.Equal(["id"], await Refused.FieldsAsync(Get(server, new GetStatusRequest { Id = "no body" })));
        Assert.Equal(["id"], await Refused.FieldsAsync(Get(server, new GetStatusRequest())));
    }

    [Fact(Timeout = 20_000)]
    public async Task Only_the_full_view_has_payload_result_headers_and_attempts()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.RunAsync(new TaskSpec { Id = "a", Kind = "echo", Payload = ByteString.CopyFromUtf8("x"), ContentType = "text/plain", Headers = { ["h"] = "v" } });
        TaskInfo basic = await server.GetAsync("a"), full = await server.GetAsync("a", TaskView.Full);
        Assert.Equal((0, "", 0, "", 0, 0), (basic.Payload.Length, basic.ContentType, basic.Result.Length, basic.ResultContentType, basic.Headers.Count, basic.Attempts.Count));
        Assert.Equal((1, "text/plain", 1, "text/plain", 1, 1), (full.Payload.Length, full.ContentType, full.Result.Length, full.ResultContentType, full.Headers.Count, full.Attempts.Count));
        Assert.Equal(basic, (await Get(server, new GetStatusRequest { Id = "a" })).Task);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_view_that_is_not_of_the_contract_is_refused()
    {
        const TaskView Unknown = (TaskView)3;
        await using TestServer server = await TestServer.StartAsync();
        await server.RunAsync(new TaskSpec { Id = "a", Kind = "echo" });
        Assert.Equal(["view"], await Refused.FieldsAsync(Get(server, new GetStatusRequest { Id = "a", View = Unknown })));
        Assert.Equal(["view"], await Refused.FieldsAsync(server.Client.WaitAsync(new WaitRequest { Id = "a", View = Unknown }, TestServer.Call)));
        Assert.Equal(["view"], await Refused.FieldsAsync(server.Client.ListAsync(new ListRequest { View = Unknown }, TestServer.Call)));
        AsyncServerStreamingCall<WatchResponse> watch = server.Client.Watch(new WatchRequest { Ids = { "a" }, View = Unknown }, TestServer.Call);
        Assert.Equal(["view"], Refused.FieldsOf(await Refused.WithAsync(StatusCode.InvalidArgument, watch)));
        var submit = new SubmitAndWatchRequest { Task = new TaskSpec { Kind = "echo" }, View = Unknown };
        Assert.Equal(["view"], Refused.FieldsOf(await Refused.WithAsync(StatusCode.InvalidArgument, server.Client.SubmitAndWatch(submit, TestServer.Call))));
        Assert.Equal(1, await server.CountAsync());
    }

    [Fact(Timeout = 20_000)]
    public async Task A_waiting_task_has_a_position_when_asked_and_a_reason()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Pool.Slots = 1);
        await server.SubmitAsync(new TaskSpec { Id = "runs", Kind = "gate" });
        await server.Gate.NextStartAsync();
        await server.SubmitManyAsync(3, new TaskSpec { Kind = "gate" });
        await server.SubmitAsync(new TaskSpec { Id = "first", Kind = "gate", Priority = 1 });
        await server.SubmitAsync(new TaskSpec { Id = "later", Kind = "gate", Delay = Duration.FromTimeSpan(TimeSpan.FromHours(1)) });

        foreach ((string id, int position) in ((string, int)[])[("first", 1), ("t1", 2), ("t2", 3), ("t3", 4)])
        {
            TaskInfo task = await server.GetAsync(id);
            Assert.Equal((TaskState.Queued, position, WaitingReason.PoolFull), (task.State, task.QueuePosition, task.WaitingReason));
        }

        Assert.False((await Get(server, new GetStatusRequest { Id = "t1" })).Task.HasQueuePosition);
        Assert.False((await server.GetAsync("runs")).HasQueuePosition);
        TaskInfo later = await server.GetAsync("later");
        Assert.Equal((TaskState.Scheduled, WaitingReason.NotDue, false), (later.State, later.WaitingReason, later.HasQueuePosition));
    }

    [Fact(Timeout = 20_000)]
    public async Task A_running_task_shows_its_progress()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "gate" });
        (await server.Gate.NextStartAsync()).ReportProgress(0.25, "a quarter");
        TaskInfo task = await server.GetAsync("a", TaskView.Full);
        Assert.Equal((TaskState.Running, 0.25, "a quarter"), (task.State, task.Progress.Fraction, task.Progress.Message));
        Assert.Equal((1, null), (Assert.Single(task.Attempts).Number, task.Attempts[0].FinishedAt));
        server.Gate.Open();
        Assert.Equal(0.25, (await server.EndOfAsync("a")).Progress.Fraction);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_failed_task_says_why()
    {
        await using TestServer server = await TestServer.StartAsync();
        TaskInfo end = await server.RunAsync(new TaskSpec
        {
            Kind = "fail",
            Payload = ByteString.CopyFromUtf8("""{"message":"broken"}"""),
            Retry = new RetryPolicy { MaxAttempts = 3, InitialBackoff = new Duration(), Jitter = 0 },
        });
        Assert.Equal((TaskState.Failed, 3, FailureCode.HandlerError, "broken", true), (end.State, end.Attempt, end.Failure.Code, end.Failure.Message, end.Failure.Retryable));
        Assert.Equal([1, 2, 3], end.Attempts.Select(static attempt => attempt.Number));
        Assert.All(end.Attempts, static attempt => Assert.Equal("broken", attempt.Failure.Message));
    }

    [Fact(Timeout = 20_000)]
    public async Task A_wait_that_times_out_is_no_error()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "gate" });
        foreach (double seconds in (double[])[0, 0.05])
        {
            WaitResponse response = await Wait(server, "a", Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds)));
            Assert.Equal((false, TaskState.Running), (response.Finished, response.Task.State));
        }

        using AsyncUnaryCall<WaitResponse> waiting = Wait(server, "a");
        server.Gate.Open();
        Assert.True((await waiting).Finished);
        Assert.True((await Wait(server, "a", new Duration())).Finished);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_wait_refuses_what_it_cannot_wait_for()
    {
        await using TestServer server = await TestServer.StartAsync();
        await Refused.WithAsync(StatusCode.NotFound, Wait(server, "nobody"));
        await Refused.WithAsync(StatusCode.NotFound, Wait(server, "nobody", new Duration()));
        Assert.Equal(["timeout"], await Refused.FieldsAsync(Wait(server, "a", new Duration { Seconds = 301 })));
        Assert.Equal(["timeout"], await Refused.FieldsAsync(Wait(server, "a", new Duration { Seconds = -1 })));
        Assert.Equal(["id"], await Refused.FieldsAsync(Wait(server, "")));
    }

    [Fact(Timeout = 20_000)]
    public async Task A_wait_whose_client_leaves_is_no_error()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "gate" });
        using AsyncUnaryCall<WaitResponse> waiting = Wait(server, "a");
        using (var other = server.Connect())
        {
            var client = new TaskPoolService.TaskPoolServiceClient(other);
            await Refused.WithAsync(StatusCode.DeadlineExceeded, client.WaitAsync(
                new WaitRequest { Id = "a" }, TestServer.Call.WithDeadline(TimeProvider.System.GetUtcNow().UtcDateTime.AddMilliseconds(200))));
        }

        server.Gate.Open();
        Assert.True((await waiting).Finished);
    }

    private static AsyncUnaryCall<GetStatusResponse> Get(TestServer server, GetStatusRequest request) => server.Client.GetStatusAsync(request, TestServer.Call);

    private static AsyncUnaryCall<WaitResponse> Wait(TestServer server, string id, Duration? timeout = null) =>
        server.Client.WaitAsync(new WaitRequest { Id = id, Timeout = timeout }, TestServer.Call);
}
