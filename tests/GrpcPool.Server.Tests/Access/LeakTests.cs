using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using GrpcPool.Server.Access;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Access;

/// <summary>
/// A task that a token may not know of – of another namespace, in a queue or of a kind that it is not confined to – is answered as one that does not exist, by every RPC.
/// </summary>
public sealed class LeakTests
{
    private const string Hidden = "hidden";
    private const string Unknown = "absent";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000)]
    [InlineData("stranger")]
    [InlineData("queue")]
    [InlineData("kind")]
    public async Task By_its_id_a_task_that_is_not_for_the_caller_does_not_exist(string token)
    {
        await using TestServer server = await StartAsync();
        TaskPoolService.TaskPoolServiceClient client = server.ClientAs(token);
        foreach (Func<string, Task> ask in ById(client))
        {
            RpcException hidden = await Refused.WithAsync(StatusCode.NotFound, ask(Hidden));
            RpcException absent = await Refused.WithAsync(StatusCode.NotFound, ask(Unknown));
            Assert.Equal(absent.Status.Detail.Replace(Unknown, Hidden, StringComparison.Ordinal), hidden.Status.Detail);
        }

        Assert.Equal(TaskState.Queued, (await server.ClientAs("owner").GetStatusAsync(new GetStatusRequest { Id = Hidden }, TestServer.Call)).Task.State);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("stranger", 0)]
    [InlineData("queue", 1)]
    [InlineData("kind", 1)]
    public async Task By_a_filter_only_what_is_for_the_caller_is_found(string token, int own)
    {
        await using TestServer server = await StartAsync();
        TaskPoolService.TaskPoolServiceClient client = server.ClientAs(token);
        foreach (TaskFilter filter in (TaskFilter[])[new TaskFilter(), new TaskFilter { Queues = { "other", "mail" } }, new TaskFilter { Kinds = { "sleep", "echo" } }, new TaskFilter { ParentId = "p" }])
        {
            ListResponse list = await client.ListAsync(new ListRequest { Filter = filter }, TestServer.Call);
            Assert.Equal(own, list.Tasks.Count);
            Assert.DoesNotContain(list.Tasks, static task => task.Id == Hidden);
            foreach (CountGroup group in (CountGroup[])[CountGroup.State, CountGroup.Queue, CountGroup.Kind])
            {
                CountResponse count = await client.CountAsync(new CountRequest { Filter = filter, GroupBy = group }, TestServer.Call);
                Assert.Equal((own, own), (count.Total, count.Groups.Sum(static counted => counted.Count)));
            }

            Assert.Equal(own, await CountWatchedAsync(client, filter));
        }

        var all = new TaskFilter { States = { TaskState.Queued, TaskState.Scheduled } };
        Assert.Equal(own, (await client.CancelMatchingAsync(new CancelMatchingRequest { Filter = all, DryRun = true }, TestServer.Call)).Cancelled);
        Assert.Equal(own, (await client.CancelMatchingAsync(new CancelMatchingRequest { Filter = all }, TestServer.Call)).Cancelled);
        Assert.Equal(own, (await client.RetryMatchingAsync(new RetryMatchingRequest { Filter = new TaskFilter { States = { TaskState.Cancelled } } }, TestServer.Call)).Retried);
        Assert.Equal(TaskState.Queued, (await server.ClientAs("owner").GetStatusAsync(new GetStatusRequest { Id = Hidden }, TestServer.Call)).Task.State);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("queue")]
    [InlineData("kind")]
    public async Task A_filter_that_names_only_what_is_not_for_the_caller_finds_nothing(string token)
    {
        await using TestServer server = await StartAsync();
        var filter = new TaskFilter { Queues = { "other" }, Kinds = { "sleep" } };
        Assert.Empty((await server.ClientAs(token).ListAsync(new ListRequest { Filter = filter }, TestServer.Call)).Tasks);
        Assert.Equal(0, (await server.ClientAs(token).CountAsync(new CountRequest { Filter = filter }, TestServer.Call)).Total);
        Assert.Equal(0, (await server.ClientAs(token).CancelMatchingAsync(new CancelMatchingRequest { Filter = filter }, TestServer.Call)).Cancelled);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("stranger")]
    [InlineData("queue")]
    [InlineData("kind")]
    public async Task A_watch_that_resumes_is_told_the_same_of_a_hidden_task_as_of_an_absent_one(string token)
    {
        await using TestServer server = await StartAsync();
        long revision = (await server.ClientAs("owner").ListAsync(new ListRequest(), TestServer.Call)).Revision;
        Assert.Equal(await ToldAsync(Unknown), await ToldAsync(Hidden));

        async Task<string> ToldAsync(string id)
        {
            using AsyncServerStreamingCall<WatchResponse> watch = server.ClientAs(token).Watch(new WatchRequest { Ids = { id }, AfterRevision = revision }, TestServer.Call);
            var told = new List<WatchEventType>();
            await foreach (WatchResponse response in watch.ResponseStream.ReadAllAsync(Stop))
                told.AddRange(response.Events.Select(static happened => happened.Type));
            return string.Join(',', told);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task How_the_pool_is_tells_nothing_of_other_namespaces()
    {
        await using TestServer server = await StartAsync();
        var (own, other) = (new PoolAdminService.PoolAdminServiceClient(server.As("owner")), new PoolAdminService.PoolAdminServiceClient(server.As("onlooker")));
        PoolInfo seen = (await own.GetPoolAsync(new GetPoolRequest(), TestServer.Call)).Pool;
        Assert.Equal((1, 1, 2), (seen.SlotsInUse, seen.Running, seen.Waiting));
        using AsyncServerStreamingCall<WatchPoolResponse> watch = other.WatchPool(new WatchPoolRequest(), TestServer.Call);
        Assert.True(await watch.ResponseStream.MoveNext(Stop));
        foreach (PoolInfo pool in (PoolInfo[])[(await other.GetPoolAsync(new GetPoolRequest(), TestServer.Call)).Pool, watch.ResponseStream.Current.Pool])
        {
            Assert.Equal((0, 0, 0), (pool.SlotsInUse, pool.Running, pool.Waiting));
            Assert.Equal(["default"], pool.Queues.Select(static queue => queue.Queue));
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Nothing_is_submitted_outside_of_the_queues_and_kinds()
    {
        await using TestServer server = await StartAsync();
        foreach ((string token, TaskSpec task) in new (string, TaskSpec)[]
        {
            ("queue", new TaskSpec { Kind = "echo", Queue = "other" }), ("queue", new TaskSpec { Kind = "echo" }), ("kind", new TaskSpec { Kind = "sleep" }), ("kind", new TaskSpec { Kind = "no-such" }),
        })
        {
            TaskPoolService.TaskPoolServiceClient client = server.ClientAs(token);
            await Refused.WithAsync(StatusCode.PermissionDenied, client.SubmitAsync(new SubmitRequest { Task = task }, TestServer.Call));
            await Refused.WithAsync(StatusCode.PermissionDenied, client.SubmitAndWatch(new SubmitAndWatchRequest { Task = task }, TestServer.Call));
            SubmitBatchResponse batch = await client.SubmitBatchAsync(new SubmitBatchRequest { Tasks = { task } }, TestServer.Call);
            Assert.Equal(((int)StatusCode.PermissionDenied, "OUTSIDE_SCOPE"), (batch.Results[0].Error.Code, batch.Results[0].Error.Reason));
            using AsyncDuplexStreamingCall<SubmitStreamRequest, SubmitStreamResponse> stream = client.SubmitStream(TestServer.Call);
            await stream.RequestStream.WriteAsync(new SubmitStreamRequest { Items = { new SubmitStreamItem { Sequence = 1, Task = task } } }, Stop);
            Assert.True(await stream.ResponseStream.MoveNext(Stop));
            Assert.Equal((int)StatusCode.PermissionDenied, stream.ResponseStream.Current.Results[0].Error.Code);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Nothing_is_learnt_by_unique_keys_and_dependencies()
    {
        await using TestServer server = await StartAsync();
        foreach (TaskSpec task in (TaskSpec[])[new TaskSpec { Kind = "echo", UniqueKey = "k" }, new TaskSpec { Kind = "echo", After = { Hidden } }, new TaskSpec { Kind = "echo", After = { Unknown } }])
        {
            RpcException refusal = await Refused.WithAsync(StatusCode.PermissionDenied, server.ClientAs("kind").SubmitAsync(new SubmitRequest { Task = task }, TestServer.Call));
            Assert.Equal("CONFINED", refusal.Detail<ErrorInfo>().Reason);
        }
    }

    [Theory(Timeout = 30_000)]
    [InlineData("queue", "echo", true)]
    [InlineData("kind", "sleep", true)]
    [InlineData("kind", "echo", false)]
    public async Task A_worker_works_for_the_kinds_of_its_token_alone(string token, string kind, bool refused)
    {
        await using TestServer server = await StartAsync();
        using AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> stream = new WorkerService.WorkerServiceClient(server.As(token)).Connect(TestServer.Call);
        Task<bool> answer = stream.AnswerAsync(new ConnectRequest { Hello = new Hello { WorkerName = "w", Kinds = { kind }, Slots = 1 } });
        if (refused)
            await Refused.WithAsync(StatusCode.PermissionDenied, answer);
        else
            Assert.True(await answer);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_worker_is_resumed_by_its_own_token_alone()
    {
        await using TestServer server = await StartAsync();
        string id = await ConnectAsync("owner", "");
        Assert.NotEqual(id, await ConnectAsync("deputy", id));
        Assert.NotEqual(id, await ConnectAsync("stranger", id));
        Assert.Equal(id, await ConnectAsync("owner", id));

        async Task<string> ConnectAsync(string token, string resume)
        {
            using AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> stream = new WorkerService.WorkerServiceClient(server.As(token)).Connect(TestServer.Call);
            await stream.RequestStream.WriteAsync(new ConnectRequest { Hello = new Hello { WorkerName = "w", Kinds = { "remote" }, Slots = 1, ResumeWorkerId = resume } }, Stop);
            Assert.True(await stream.ResponseStream.MoveNext(Stop));
            return stream.ResponseStream.Current.Welcome.WorkerId;
        }
    }

    /// <summary>A server with a task for the owner alone, and one in the queue "mail" of the kind "echo", which are those of the confined tokens.</summary>
    private static async Task<TestServer> StartAsync()
    {
        TestServer server = await TestServer.StartAsync(
            options =>
            {
                options.Pool.Slots = 1;
                options.Workers.ResumeGrace = TimeSpan.FromMinutes(1);
            },
            access: static access =>
            {
                access.Add("owner", Role.Admin, "one");
                access.Add("stranger", Role.Admin, "two");
                access.Add("deputy", Role.Admin, "one");
                access.Add("onlooker", Role.Read, "two");
                access.Add("queue", Role.Admin, "one", queues: ["mail"]);
                access.Add("kind", Role.Admin, "one", kinds: ["echo"]);
            });
        TaskPoolService.TaskPoolServiceClient owner = server.ClientAs("owner");
        await owner.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Id = "busy", Kind = "gate", Queue = "busy" } }, TestServer.Call);
        await server.Gate.NextStartAsync();
        await owner.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Id = Hidden, Kind = "sleep", Queue = "other", ParentId = "p" } }, TestServer.Call);
        await owner.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Id = "mine", Kind = "echo", Queue = "mail", ParentId = "p" } }, TestServer.Call);
        return server;
    }

    private static IEnumerable<Func<string, Task>> ById(TaskPoolService.TaskPoolServiceClient client) =>
    [
        id => client.GetStatusAsync(new GetStatusRequest { Id = id, View = TaskView.Full, QueuePosition = true }, TestServer.Call).ResponseAsync,
        id => client.WaitAsync(new WaitRequest { Id = id, Timeout = Duration.FromTimeSpan(TimeSpan.FromMinutes(1)) }, TestServer.Call).ResponseAsync,
        id => client.Watch(new WatchRequest { Ids = { id } }, TestServer.Call).ResponseStream.MoveNext(Stop),
        id => client.Watch(new WatchRequest { Ids = { id }, SkipSnapshot = true }, TestServer.Call).ResponseStream.MoveNext(Stop),
        id => client.ReadLog(new ReadLogRequest { Id = id, Follow = true }, TestServer.Call).ResponseStream.MoveNext(Stop),
        id => client.CancelAsync(new CancelRequest { Id = id }, TestServer.Call).ResponseAsync,
        id => client.RetryAsync(new RetryRequest { Id = id }, TestServer.Call).ResponseAsync,
        id => client.DeleteAsync(new DeleteRequest { Id = id }, TestServer.Call).ResponseAsync,
        id => client.CompleteAsync(new CompleteRequest { Lease = new Lease { TaskId = id, Token = ByteString.CopyFrom(new byte[16]) } }, TestServer.Call).ResponseAsync,
    ];

    private static async Task<int> CountWatchedAsync(TaskPoolService.TaskPoolServiceClient client, TaskFilter filter)
    {
        using AsyncServerStreamingCall<WatchResponse> watch = client.Watch(new WatchRequest { Filter = filter }, TestServer.Call);
        int seen = 0;
        while (await watch.ResponseStream.MoveNext(Stop))
        {
            Assert.DoesNotContain(watch.ResponseStream.Current.Events, static told => told.Task?.Id == Hidden);
            seen += watch.ResponseStream.Current.Events.Count(static told => told.Type == WatchEventType.Snapshot);
            if (watch.ResponseStream.Current.Events.Any(static told => told.Type == WatchEventType.Synced))
                break;
        }

        return seen;
    }
}
