using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class PoolAdminTests
{
    private const int TimeoutMs = 20_000;

    [Fact(Timeout = TimeoutMs)]
    public async Task The_pool_says_what_it_has_what_runs_and_what_waits()
    {
        await using TestServer server = await StartAsync();
        await server.SubmitAsync(new TaskSpec { Kind = "gate", Queue = "images", Slots = 2 });
        await server.Gate.NextStartAsync();
        await server.SubmitManyAsync(3, new TaskSpec { Kind = "gate", Queue = "images" });
        await server.SubmitAsync(new TaskSpec { Kind = "gate", Queue = "images", Delay = Duration.FromTimeSpan(TimeSpan.FromHours(1)) });
        PoolInfo pool = await GetPoolAsync(server);
        QueueInfo images = QueueOf(pool, "images");

        Assert.Equal((2, 2, 2, 1L, 4L, 1_000_000), (pool.Size, pool.ConfiguredSize, pool.SlotsInUse, pool.Running, pool.Waiting, pool.Capacity));
        Assert.Equal((false, "", 0, null), (pool.Draining, pool.NotReady, pool.Workers.Count, pool.Rates));
        Assert.Equal(["default", "images"], pool.Queues.Select(static queue => queue.Queue));
        Assert.Equal((4L, 1L, 3L, 0L, 1L, 2), (images.Waiting, images.Scheduled, images.Queued, images.Retrying, images.Running, images.SlotsInUse));
        Assert.Equal((100, 2, 1, FullQueuePolicy.Wait, false, null), (images.Capacity, images.Limit, images.Weight, images.WhenFull, images.Paused, images.Configured));
        Assert.False(QueueOf(pool, "default").HasLimit);
        Assert.InRange((pool.ReadAt - pool.OpenedAt).ToTimeSpan(), TimeSpan.Zero, TimeSpan.FromMinutes(1));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Counters_are_those_of_the_callers_namespace_and_rules_hold_in_all()
    {
        await using TestServer server = await StartAsync();
        await Admin(server).PauseQueueAsync(new PauseQueueRequest { Queue = "images" }, Theirs());
        await server.SubmitAsync(new TaskSpec { Id = "ours", Kind = "gate", Queue = "images" });
        PoolInfo theirs = (await Admin(server).GetPoolAsync(new GetPoolRequest(), Theirs())).Pool;

        Assert.Equal(WaitingReason.QueuePaused, (await server.GetAsync("ours")).WaitingReason);
        Assert.Equal((1L, 0L, true), (theirs.Waiting, QueueOf(theirs, "images").Waiting, QueueOf(theirs, "images").Paused));
        Assert.Equal(0, (await Admin(server).PurgeQueueAsync(new PurgeQueueRequest { Queue = "images" }, Theirs())).Cancelled);
        Assert.Equal(1, (await Admin(server).PurgeQueueAsync(new PurgeQueueRequest { Queue = "images" }, TestServer.Call)).Cancelled);
        Assert.Equal("purged", (await server.GetAsync("ours")).Cancellation.Reason);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_is_changed_is_in_force_and_shown_against_the_settings()
    {
        await using TestServer server = await StartAsync();
        ResizePoolResponse resized = await Admin(server).ResizePoolAsync(new ResizePoolRequest { Slots = 5 }, TestServer.Call);
        UpdateQueueResponse updated = await Admin(server).UpdateQueueAsync(
            new UpdateQueueRequest { Queue = "images", Limit = 0, Weight = 3, Capacity = 7, WhenFull = FullQueuePolicy.DiscardOldest }, TestServer.Call);
        QueueInfo paused = (await Admin(server).PauseQueueAsync(new PauseQueueRequest { Queue = "images" }, TestServer.Call)).Queue;
        PoolInfo pool = await GetPoolAsync(server);

        Assert.Equal((5, 2, 0), (resized.Slots, resized.SlotsBefore, resized.SlotsInUse));
        Assert.Equal((5, 2), (pool.Size, pool.ConfiguredSize));
        Assert.Equal((false, 3, 7, FullQueuePolicy.DiscardOldest), (updated.Queue.HasLimit, updated.Queue.Weight, updated.Queue.Capacity, updated.Queue.WhenFull));
        Assert.Equal(new QueueRules { Capacity = 100, Limit = 2, Weight = 1, WhenFull = FullQueuePolicy.Wait }, paused.Configured);
        Assert.Equal(paused, QueueOf(pool, "images"));
        QueueInfo reset = (await Admin(server).UpdateQueueAsync(new UpdateQueueRequest { Queue = "images", Reset = true }, TestServer.Call)).Queue;
        Assert.Equal((2, 100, true), (reset.Limit, reset.Capacity, reset.Paused));
        Assert.Null((await Admin(server).ResumeQueueAsync(new ResumeQueueRequest { Queue = "images" }, TestServer.Call)).Queue.Configured);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_full_queue_is_refused_with_the_capacity_in_force()
    {
        await using TestServer server = await StartAsync();
        await Admin(server).UpdateQueueAsync(new UpdateQueueRequest { Queue = "images", Capacity = 1, WhenFull = FullQueuePolicy.Reject }, TestServer.Call);
        await Admin(server).PauseQueueAsync(new PauseQueueRequest { Queue = "images" }, TestServer.Call);
        await server.SubmitAsync(new TaskSpec { Kind = "gate", Queue = "images" });
        RpcException full = await Refused.WithAsync(
            StatusCode.ResourceExhausted, server.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "gate", Queue = "images" } }, TestServer.Call));

        Assert.Equal("1", full.Detail<Google.Rpc.ErrorInfo>().Metadata["capacity"]);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Fields_that_break_their_rules_are_named()
    {
        await using TestServer server = await StartAsync();
        var admin = Admin(server);
        Assert.Equal(["slots"], await Refused.FieldsAsync(admin.ResizePoolAsync(new ResizePoolRequest(), TestServer.Call)));
        Assert.Equal(["queue", "limit"], await Refused.FieldsAsync(admin.UpdateQueueAsync(new UpdateQueueRequest { Queue = "No" }, TestServer.Call)));
        var wrong = new UpdateQueueRequest { Queue = "a", Limit = -1, Weight = 0, Capacity = 0, WhenFull = (FullQueuePolicy)9 };
        Assert.Equal(["limit", "weight", "capacity", "when_full"], await Refused.FieldsAsync(admin.UpdateQueueAsync(wrong, TestServer.Call)));
        Assert.Equal(["queue"], await Refused.FieldsAsync(admin.PauseQueueAsync(new PauseQueueRequest(), TestServer.Call)));
        Assert.Equal(["queue"], await Refused.FieldsAsync(admin.ResumeQueueAsync(new ResumeQueueRequest { Queue = "a b" }, TestServer.Call)));
        Assert.Equal(["queue", "reason"], await Refused.FieldsAsync(admin.PurgeQueueAsync(new PurgeQueueRequest { Reason = new string('x', 1025) }, TestServer.Call)));
        Assert.Equal(["page_size"], await Refused.FieldsAsync(admin.ListWorkersAsync(new ListWorkersRequest { PageSize = 1001 }, TestServer.Call)));
        Assert.Equal(["worker_id"], await Refused.FieldsAsync(admin.DrainWorkerAsync(new DrainWorkerRequest(), TestServer.Call)));
        await Refused.WithAsync(StatusCode.InvalidArgument, admin.WatchPool(new WatchPoolRequest { Interval = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(1)) }, TestServer.Call));
        RpcException unknown = await Refused.WithAsync(StatusCode.NotFound, admin.DrainWorkerAsync(new DrainWorkerRequest { WorkerId = "nobody" }, TestServer.Call));
        Assert.Equal("WORKER_NOT_FOUND", unknown.Detail<Google.Rpc.ErrorInfo>().Reason);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Watching_goes_on_with_rates_until_the_server_stops()
    {
        await using TestServer server = await StartAsync();
        using AsyncServerStreamingCall<WatchPoolResponse> watch = Admin(server).WatchPool(new WatchPoolRequest { Interval = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(100)) }, TestServer.Call);
        PoolInfo first = await NextAsync(watch);
        await server.RunAsync(new TaskSpec { Kind = "echo" });
        await server.RunAsync(new TaskSpec { Kind = "fail" });
        PoolRates sum = new();
        while (sum.Finished < 1.9)
        {
            PoolInfo next = await NextAsync(watch);
            Assert.Equal(next.Rates, QueueOf(next, "default").Rates);
            double seconds = (next.ReadAt - first.ReadAt).ToTimeSpan().TotalSeconds;
            (sum.Submitted, sum.Started) = (sum.Submitted + (next.Rates.Submitted * seconds), sum.Started + (next.Rates.Started * seconds));
            (sum.Finished, sum.Failed) = (sum.Finished + (next.Rates.Finished * seconds), sum.Failed + (next.Rates.Failed * seconds));
            first = next;
        }

        Assert.Equal((2, 2, 2, 1), (Math.Round(sum.Submitted), Math.Round(sum.Started), Math.Round(sum.Finished), Math.Round(sum.Failed)));
        Task stopping = server.StopAsync();
        RpcException end = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (true)
                await NextAsync(watch);
        });
        Assert.Equal(StatusCode.Unavailable, end.StatusCode);
        await stopping;
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_drained_server_refuses_new_tasks_is_not_ready_and_still_answers()
    {
        await using TestServer server = await StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "runs", Kind = "gate" });
        await server.Gate.NextStartAsync();
        using var health = new Grpc.Health.V1.Health.HealthClient(server.Channel).Watch(new Grpc.Health.V1.HealthCheckRequest(), TestServer.Call);
        Assert.Equal(Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus.Serving, await NextAsync(health));
        Assert.Equal(1, (await Admin(server).DrainAsync(new DrainRequest(), TestServer.Call)).Running);
        Assert.Equal(Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus.NotServing, await NextAsync(health));
        await Refused.WithAsync(StatusCode.Unavailable, server.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "echo" } }, TestServer.Call));
        PoolInfo pool = await GetPoolAsync(server);
        Assert.Equal((true, "the pool is Draining", 1L), (pool.Draining, pool.NotReady, pool.Running));

        server.Gate.Open();
        Assert.Equal(TaskState.Succeeded, (await server.EndOfAsync("runs")).State);
        Assert.Equal(0, (await Admin(server).DrainAsync(new DrainRequest(), TestServer.Call)).Running);
        Assert.Equal(1, await server.CountAsync());
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Changes_are_told_to_the_log_with_where_they_came_from()
    {
        await using TestServer server = await StartAsync();
        await Admin(server).ResizePoolAsync(new ResizePoolRequest { Slots = 3 }, TestServer.Call);
        LogEntry entry = await server.Log.WhenAsync(static entry => entry.Category == "GrpcPool.Core.Administration.PoolAdmin");

        Assert.Matches(@"^Operator at ipv4:127\.0\.0\.1:\d+: the pool's slots: 2 -> 3 \(done\)$", entry.Message);
    }

    private static Task<TestServer> StartAsync() => TestServer.StartAsync(static options =>
    {
        options.Pool.Slots = 2;
        options.Queues["images"] = new QueueOptions { Capacity = 100, Limit = 2, WhenFull = FullPolicy.Wait };
    });

    private static PoolAdminService.PoolAdminServiceClient Admin(TestServer server) => new(server.Channel);

    private static CallOptions Theirs() => TestServer.Call.WithHeaders(new Metadata { { "grpcpool-namespace", "theirs" } });

    private static async Task<PoolInfo> GetPoolAsync(TestServer server) => (await Admin(server).GetPoolAsync(new GetPoolRequest(), TestServer.Call)).Pool;

    private static QueueInfo QueueOf(PoolInfo pool, string queue) => pool.Queues.Single(one => one.Queue == queue);

    private static async Task<PoolInfo> NextAsync(AsyncServerStreamingCall<WatchPoolResponse> watch)
    {
        Assert.True(await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        return watch.ResponseStream.Current.Pool;
    }

    private static async Task<Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus> NextAsync(AsyncServerStreamingCall<Grpc.Health.V1.HealthCheckResponse> watch)
    {
        Assert.True(await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        return watch.ResponseStream.Current.Status;
    }
}
