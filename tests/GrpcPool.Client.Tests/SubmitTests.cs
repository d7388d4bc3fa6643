using System.Text.Json.Serialization;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using GrpcPool.Client.Tests.Infrastructure;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Client.Tests;

public sealed partial class SubmitTests
{
    private static readonly TimeSpan Asked = TimeSpan.FromSeconds(20);

    [Fact(Timeout = 60_000)]
    public async Task A_task_without_an_id_keeps_the_one_it_got_over_all_attempts()
    {
        var ids = new List<string>();
        var pool = new StubPool { OnSubmit = (request, _) => Refuse(ids, request, times: 3, static () => new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "not yet"))) };
        await using StubServer server = await StubServer.StartAsync(pool);
        var time = new FakeTimeProvider();
        using GrpcPoolClient client = TestClient.Of(server.Address, time);
        var spec = new TaskSpec { Kind = "echo" };
        TaskHandle task = await time.PassUntilAsync(client.SubmitAsync(spec, TestClient.Stop), 0.01);
        Assert.Equal([task.Id, task.Id, task.Id, task.Id], ids);
        Assert.Equal(7, Guid.Parse(task.Id).Version);
        Assert.Empty(spec.Id);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_full_queue_is_not_tried_again_before_it_says()
    {
        var time = new FakeTimeProvider();
        var at = new List<DateTimeOffset>();
        var pool = new StubPool
        {
            OnSubmit = (request, _) =>
            {
                at.Add(time.GetUtcNow());
                return at.Count > 1 ? new SubmitResponse() : throw Full(Asked);
            },
        };
        await using StubServer server = await StubServer.StartAsync(pool);
        using GrpcPoolClient client = TestClient.Of(server.Address, time);
        await time.PassUntilAsync(client.SubmitAsync(TestClient.Echo(), TestClient.Stop));
        Assert.True(at[1] - at[0] >= Asked);
    }

    [Fact(Timeout = 60_000)]
    public async Task Retries_end_when_their_time_is_over()
    {
        var pool = new StubPool { OnSubmit = static (_, _) => throw Full(Asked) };
        await using StubServer server = await StubServer.StartAsync(pool);
        var time = new FakeTimeProvider();
        using GrpcPoolClient client = TestClient.Of(server.Address, time);
        DateTimeOffset began = time.GetUtcNow();
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(() => time.PassUntilAsync(client.SubmitAsync(TestClient.Echo(), TestClient.Stop)));
        Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
        Assert.True(time.GetUtcNow() - began <= TimeSpan.FromMinutes(1) + TimeSpan.FromSeconds(1));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(StatusCode.InvalidArgument, 60)]
    [InlineData(StatusCode.AlreadyExists, 60)]
    [InlineData(StatusCode.ResourceExhausted, 60)]
    [InlineData(StatusCode.Internal, 60)]
    [InlineData(StatusCode.Unavailable, 0)]
    public async Task What_will_not_pass_surfaces_at_once(StatusCode code, int retrySeconds)
    {
        var ids = new List<string>();
        var pool = new StubPool { OnSubmit = (request, _) => Refuse(ids, request, times: 100, () => new RpcException(new Grpc.Core.Status(code, "no"))) };
        await using StubServer server = await StubServer.StartAsync(pool);
        using GrpcPoolClient client = TestClient.Of(server.Address, configure: options => options.RetryFor = TimeSpan.FromSeconds(retrySeconds));
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(() => client.SubmitAsync(TestClient.Echo(), TestClient.Stop));
        Assert.Equal(code, refusal.StatusCode);
        Assert.Single(ids);
    }

    [Fact(Timeout = 60_000)]
    public async Task Who_cancels_gets_a_cancellation()
    {
        using var cancellation = new CancellationTokenSource();
        var pool = new StubPool();
        await using StubServer server = await StubServer.StartAsync(pool);
        using GrpcPoolClient client = TestClient.Of(server.Address);
        pool.OnSubmit = (_, _) =>
        {
            cancellation.Cancel();
            throw new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "not yet"));
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.SubmitAsync(TestClient.Echo(), cancellation.Token));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_task_gets_into_a_full_queue_as_soon_as_there_is_room()
    {
        await using TestServer server = await TestServer.StartAsync(static options =>
        {
            options.Pool.Slots = 1;
            options.Queues["default"] = new QueueOptions { Capacity = 1, WhenFull = FullPolicy.Reject };
        });
        var time = new FakeTimeProvider();
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress, time, static options => options.RetryFor = Timeout.InfiniteTimeSpan);
        TaskHandle running = await client.SubmitAsync(TestClient.Gate(), TestClient.Stop);
        await server.Gate.NextStartAsync();
        await client.SubmitAsync(TestClient.Gate(), TestClient.Stop);

        Task<TaskHandle> third = client.SubmitAsync(TestClient.Gate(), TestClient.Stop);
        server.Gate.Open();
        Assert.Equal(TaskState.Succeeded, (await running).State);
        Assert.Equal(TaskState.Succeeded, (await await time.PassUntilAsync(third)).State);
    }

    [Fact(Timeout = 60_000)]
    public async Task Payloads_and_results_may_be_typed()
    {
        await using TestServer server = await TestServer.StartAsync();
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress);
        TaskHandle task = await client.SubmitAsync(new TaskSpec { Kind = "echo" }, new Point(3, 4), Json.Default.Point, TestClient.Stop);
        Assert.Equal(new Point(3, 4), await task.GetResultAsync(Json.Default.Point, TestClient.Stop));
        Assert.Equal("application/json", (await task).ContentType);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_batch_has_an_outcome_per_task(bool atomic)
    {
        await using TestServer server = await TestServer.StartAsync();
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress);
        IReadOnlyList<SubmitOutcome> outcomes = await client.SubmitBatchAsync([TestClient.Echo(id: "a"), new TaskSpec { Id = "b", Kind = "unknown" }], atomic, TestClient.Stop);
        Assert.Equal(["a", "b"], outcomes.Select(static outcome => outcome.Id));
        Assert.Equal([!atomic, false], outcomes.Select(static outcome => outcome.Accepted));
        Assert.Equal((int)StatusCode.NotFound, outcomes[1].Error!.Code);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_batch_amid_which_the_server_shuts_down_is_repeated_with_the_same_ids()
    {
        var ids = new List<string>();
        var pool = new StubPool
        {
            OnSubmitBatch = request =>
            {
                ids.AddRange(request.Tasks.Select(static task => task.Id));
                var second = ids.Count > 2 ? new SubmitBatchResult { Task = new TaskInfo() } : new SubmitBatchResult { Error = new SubmitError { Code = (int)StatusCode.Unavailable } };
                return new SubmitBatchResponse { Results = { new SubmitBatchResult { Task = new TaskInfo() }, second } };
            },
        };
        await using StubServer server = await StubServer.StartAsync(pool);
        var time = new FakeTimeProvider();
        using GrpcPoolClient client = TestClient.Of(server.Address, time);
        IReadOnlyList<SubmitOutcome> outcomes = await time.PassUntilAsync(client.SubmitBatchAsync([TestClient.Echo(), TestClient.Echo()], cancellationToken: TestClient.Stop), 0.01);
        Assert.All(outcomes, static outcome => Assert.True(outcome.Accepted));
        string[] expected = [.. outcomes.Select(static outcome => outcome.Id), .. outcomes.Select(static outcome => outcome.Id)];
        Assert.Equal(expected, ids);
    }

    private static SubmitResponse Refuse(List<string> ids, SubmitRequest request, int times, Func<RpcException> refusal)
    {
        ids.Add(request.Task.Id);
        return ids.Count > times ? new SubmitResponse() : throw refusal();
    }

    internal static RpcException Full(TimeSpan retry) =>
        new Google.Rpc.Status { Code = (int)Code.ResourceExhausted, Details = { Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(retry) }) } }.ToRpcException();

    internal sealed record Point(int X, int Y);

    [JsonSerializable(typeof(Point))]
    private sealed partial class Json : JsonSerializerContext;
}
