using Google.Protobuf;
using Grpc.Core;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Workers;

/// <summary>The stream of a worker, message by message, against the real server.</summary>
public sealed class WorkerStreamTests
{
    private const int TimeoutMs = 30_000;

    [Fact(Timeout = TimeoutMs)]
    public async Task A_worker_is_welcomed_assigned_and_accepted()
    {
        await using TestServer server = await TestServer.StartAsync();
        using AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> stream = Connect(server);
        await SayAsync(stream, new ConnectRequest { Hello = Hello() });
        Welcome welcome = (await NextAsync(stream)).Welcome;
        await SayAsync(stream, new ConnectRequest { Credit = new Credit { Slots = 2 } });
        await server.SubmitAsync(new TaskSpec { Id = "t", Kind = "remote", Payload = ByteString.CopyFromUtf8("in"), Labels = { ["a"] = "b" } });
        Assignments assignments = (await NextAsync(stream)).Assignments;
        Assignment assignment = Assert.Single(assignments.Items);
        Lease lease = assignment.Lease;
        await ReportAsync(stream, 1, new Report { Lease = lease, Progress = new Progress { Fraction = 0.5, Message = "half" } }, new Report { Lease = lease, Log = ByteString.CopyFromUtf8("line") });
        await ReportAsync(stream, 2, new Report { Lease = lease, Succeeded = new Succeeded { Result = ByteString.CopyFromUtf8("out"), ContentType = "text/plain" } });
        while ((await NextAsync(stream)).Accepted?.Sequence != 2)
        {
        }

        TaskInfo ended = await server.GetAsync("t", TaskView.Full);
        await stream.RequestStream.CompleteAsync();
        Assert.False(await stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal((30L, 5L, 1 << 20), (welcome.LeaseDuration.Seconds, welcome.HeartbeatInterval.Seconds, welcome.ResultBytesMax));
        Assert.Equal(("in", "b", TaskState.Running, 1L), (assignment.Task.Payload.ToStringUtf8(), assignment.Task.Labels["a"], assignment.Task.State, assignments.Sequence));
        Assert.Equal((TaskState.Succeeded, "out", "text/plain", "w", 0.5), (ended.State, ended.Result.ToStringUtf8(), ended.ResultContentType, ended.Worker, ended.Progress.Fraction));
        using AsyncServerStreamingCall<ReadLogResponse> log = server.Client.ReadLog(new ReadLogRequest { Id = "t" }, TestServer.Call);
        Assert.True(await log.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal("line", log.ResponseStream.Current.Data.ToStringUtf8());
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_worker_that_breaks_the_rules_ends_its_own_stream_alone()
    {
        await using TestServer server = await TestServer.StartAsync();
        using AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> good = Connect(server);
        await SayAsync(good, new ConnectRequest { Hello = Hello() });
        await NextAsync(good);

        Assert.Equal((StatusCode.InvalidArgument, "hello"), await BreakAsync(server, new ConnectRequest { Credit = new Credit { Slots = 1 } }));
        Assert.Equal((StatusCode.InvalidArgument, "hello.worker_name"), await BreakAsync(server, new ConnectRequest { Hello = Hello(name: "no name") }));
        Assert.Equal((StatusCode.InvalidArgument, "hello.kinds[0]"), await BreakAsync(server, new ConnectRequest { Hello = Hello(kind: "No Kind") }));
        Assert.Equal((StatusCode.InvalidArgument, "hello.slots"), await BreakAsync(server, new ConnectRequest { Hello = Hello(slots: 0) }));
        Assert.Equal((StatusCode.InvalidArgument, "message"), await BreakAsync(server, new ConnectRequest { Hello = Hello() }, new ConnectRequest { Hello = Hello() }));
        Assert.Equal((StatusCode.InvalidArgument, "credit.slots"), await BreakAsync(server, new ConnectRequest { Hello = Hello() }, new ConnectRequest { Credit = new Credit() }));
        Assert.Equal((StatusCode.InvalidArgument, "reports.items[0]"), await BreakAsync(server, new ConnectRequest { Hello = Hello() }, new ConnectRequest { Reports = new Reports { Sequence = 1, Items = { new Report() } } }));
        Assert.Equal((StatusCode.FailedPrecondition, ""), await BreakAsync(server, new ConnectRequest { Hello = Hello() }, new ConnectRequest { Reports = new Reports { Sequence = 3 } }));
        Assert.Equal((StatusCode.FailedPrecondition, ""), await BreakAsync(server, new ConnectRequest { Hello = Hello() }, new ConnectRequest { Heartbeat = new WorkerHeartbeat { ReceivedSequence = 1 } }));

        await SayAsync(good, new ConnectRequest { Credit = new Credit { Slots = 1 } });
        await server.SubmitAsync(new TaskSpec { Id = "t", Kind = "remote" });
        Assert.Equal("t", Assert.Single((await NextAsync(good)).Assignments.Items).Lease.TaskId);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_worker_is_told_of_leases_that_are_not_its_own()
    {
        await using TestServer server = await TestServer.StartAsync();
        using AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> stream = Connect(server);
        await SayAsync(stream, new ConnectRequest { Hello = Hello() });
        await NextAsync(stream);

        await ReportAsync(stream, 1, new Report { Lease = new Lease { TaskId = "t", Attempt = 1, Token = ByteString.CopyFromUtf8("not a token") }, Succeeded = new Succeeded() });

        Assert.Equal("t", (await NextAsync(stream)).LeaseLost.Lease.TaskId);
        Assert.Equal(1, (await NextAsync(stream)).Accepted.Sequence);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_task_may_ask_for_the_slots_of_the_largest_worker()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Pool.Slots = 2);
        Assert.Equal(["task.slots"], await Refused.FieldsAsync(server.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "echo", Slots = 3 } }, TestServer.Call)));
        using AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> stream = Connect(server);
        await SayAsync(stream, new ConnectRequest { Hello = Hello(slots: 3) });
        await NextAsync(stream);

        Assert.Equal(TaskState.Queued, (await server.SubmitAsync(new TaskSpec { Kind = "remote", Slots = 3 })).State);
    }

    private static AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> Connect(TestServer server) => new WorkerService.WorkerServiceClient(server.Channel).Connect(TestServer.Call);

    private static Hello Hello(string name = "w", string kind = "remote", int slots = 4) => new() { WorkerName = name, Kinds = { kind }, Slots = slots };

    private static Task ReportAsync(AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> stream, long sequence, params IEnumerable<Report> reports) =>
        SayAsync(stream, new ConnectRequest { Reports = new Reports { Sequence = sequence, Items = { reports } } });

    private static Task SayAsync(AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> stream, ConnectRequest message) =>
        stream.RequestStream.WriteAsync(message, TestContext.Current.CancellationToken);

    private static async Task<ConnectResponse> NextAsync(AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> stream)
    {
        Assert.True(await stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        return stream.ResponseStream.Current;
    }

    /// <summary>How a stream ends that says this: its status, and the field at fault where there is one.</summary>
    private static async Task<(StatusCode Code, string Field)> BreakAsync(TestServer server, params IEnumerable<ConnectRequest> messages)
    {
        using AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> stream = Connect(server);
        foreach (ConnectRequest message in messages)
            await SayAsync(stream, message);
        RpcException fault = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            {
            }
        });
        return (fault.StatusCode, fault.GetRpcStatus()?.GetDetail<Google.Rpc.BadRequest>()?.FieldViolations[0].Field ?? "");
    }
}
