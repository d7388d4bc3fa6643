using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class SubmitBatchTests
{
    private const int MessageBytesMax = 3_670_016;

    [Fact(Timeout = 20_000)]
    public async Task Bytes_that_are_no_spec_are_refused_and_leave_nothing_behind()
    {
        await using TestServer server = await TestServer.StartAsync();
        var broken = new Method<byte[], byte[]>(
            MethodType.Unary, "grpcpool.v1.TaskPoolService", "SubmitBatch", Marshallers.Create(static bytes => bytes, static bytes => bytes), Marshallers.Create(static bytes => bytes, static bytes => bytes));
        byte[] group = new TaskSpec { Group = "g", Slots = 3 }.ToByteArray();

        for (int i = 0; i < 10; i++)
        {
            byte[] spec = [.. group, 0x12, 0x09, (byte)'k'];
            await Refused.WithAsync(StatusCode.InvalidArgument, server.Channel.CreateCallInvoker().AsyncUnaryCall(broken, host: null, TestServer.Call, [0x0a, (byte)spec.Length, .. spec]));
            TaskInfo task = (await server.Client.SubmitBatchAsync(new SubmitBatchRequest { Tasks = { new TaskSpec { Kind = "gate" } } }, TestServer.Call)).Results[0].Task;
            Assert.Equal(("", 1), (task.Group, task.Slots));
        }
    }

    [Fact(Timeout = 20_000)]
    public async Task Each_item_has_its_task_or_its_error_in_order()
    {
        await using TestServer server = await TestServer.StartAsync();
        TaskSpec[] tasks = [Gate("a"), new() { Id = "b", Kind = "?" }, new() { Id = "c", Kind = "unknown" }, Gate("a"), new() { Id = "a", Kind = "echo" }, Gate("d")];
        SubmitBatchResponse response = await SubmitAsync(server, tasks);
        Assert.Equal(["a", "INVALID tasks[1].kind", "KIND_NOT_FOUND", "a", "ID_CONFLICT", "d"], response.Results.Select(Describe));
        Assert.Equal([true, false, false, false, false, true], response.Results.Select(static result => result.Created));
        Assert.Equal((int)Code.InvalidArgument, response.Results[1].Error.Code);
        Assert.Equal((int)Code.NotFound, response.Results[2].Error.Code);
        Assert.Equal((int)Code.AlreadyExists, response.Results[4].Error.Code);
        Assert.Equal(2, await server.CountAsync());
    }

    [Fact(Timeout = 20_000)]
    public async Task An_atomic_batch_with_an_error_changes_nothing()
    {
        await using TestServer server = await TestServer.StartAsync();
        SubmitBatchResponse invalid = await SubmitAsync(server, [Gate("a"), new() { Kind = "?" }], atomic: true);
        Assert.Equal(["BATCH_ABORTED", "INVALID tasks[1].kind"], invalid.Results.Select(Describe));

        await server.SubmitAsync(Gate("old"));
        SubmitBatchResponse conflict = await SubmitAsync(server, [Gate("a"), new() { Id = "old", Kind = "echo" }], atomic: true);
        Assert.Equal(["BATCH_ABORTED", "ID_CONFLICT"], conflict.Results.Select(Describe));
        Assert.Equal(1, await server.CountAsync());

        SubmitBatchResponse well = await SubmitAsync(server, [Gate("a"), Gate("old"), Gate("b")], atomic: true);
        Assert.Equal([true, false, true], well.Results.Select(static result => result.Created));
        Assert.Equal(3, await server.CountAsync());
    }

    [Theory(Timeout = 20_000)]
    [InlineData(FullPolicy.Reject)]
    [InlineData(FullPolicy.Wait)]
    [InlineData(FullPolicy.DiscardOldest)]
    public async Task What_is_over_capacity_is_refused_at_once_whatever_the_policy(FullPolicy policy)
    {
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.Pool.Slots = 1;
            options.Queues["default"] = new QueueOptions { Capacity = 2, WhenFull = policy };
        });
        await server.SubmitAsync(Gate("runs"));
        await server.Gate.NextStartAsync();
        SubmitBatchResponse response = await SubmitAsync(server, [Gate("a"), Gate("b"), Gate("c"), Gate("a")]);
        Assert.Equal(["a", "b", "QUEUE_FULL", "a"], response.Results.Select(Describe));
        Assert.Equal((int)Code.ResourceExhausted, response.Results[2].Error.Code);
        Assert.True(response.Results[2].Error.RetryAfter.ToTimeSpan() > TimeSpan.Zero);
    }

    [Fact(Timeout = 20_000)]
    public async Task An_atomic_batch_that_does_not_fit_is_refused_as_a_whole()
    {
        await using TestServer server = await TestServer.StartAsync(static options =>
        {
            options.Pool.Slots = 1;
            options.Queues["default"] = new QueueOptions { Capacity = 2 };
        });
        await server.SubmitAsync(Gate("runs"));
        await server.Gate.NextStartAsync();
        SubmitBatchResponse response = await SubmitAsync(server, [Gate("a"), Gate("b"), Gate("c")], atomic: true);
        Assert.Equal(["BATCH_ABORTED", "BATCH_ABORTED", "QUEUE_FULL"], response.Results.Select(Describe));
        Assert.Equal(1, await server.CountAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task Ten_thousand_are_taken_and_one_more_is_too_many()
    {
        await using TestServer server = await TestServer.StartAsync();
        TaskSpec[] tasks = [.. Enumerable.Range(0, 10_000).Select(static i => new TaskSpec { Id = $"t{i}", Kind = "echo", Labels = { ["number"] = $"{i}" } })];
        SubmitBatchResponse response = await SubmitAsync(server, tasks);
        Assert.Equal(tasks.Select(static task => task.Id), response.Results.Select(Describe));
        Assert.Equal(["tasks"], await Refused.FieldsAsync(Call(server, [.. tasks, new TaskSpec { Kind = "echo" }])));
        Assert.Equal(["tasks"], await Refused.FieldsAsync(Call(server, [])));
    }

    [Fact(Timeout = 30_000)]
    public async Task The_answer_fits_into_a_message_even_if_every_item_has_many_faults()
    {
        await using TestServer server = await TestServer.StartAsync();
        var bad = new TaskSpec { Id = " ", Kind = "E", Queue = "Q", Priority = 1000, Slots = -1, ParentId = " ", Retry = new RetryPolicy { Jitter = 2, MaxAttempts = -1, MaxLosses = -1 } };
        for (int i = 0; i < 20; i++)
            bad.Labels.Add($"L{i}", "");
        SubmitBatchResponse response = await SubmitAsync(server, [.. Enumerable.Repeat(bad, 10_000)]);
        Assert.InRange(response.CalculateSize(), 1, MessageBytesMax);
        Assert.All(response.Results, static result => Assert.Equal((int)Code.InvalidArgument, result.Error.Code));
    }

    [Fact(Timeout = 30_000)]
    public async Task The_answer_fits_into_a_message_even_if_every_task_is_large()
    {
        await using TestServer server = await TestServer.StartAsync();
        var large = new TaskSpec { Kind = "gate", SerialKey = new string('s', 255), Queue = new string('q', 64), ParentId = new string('p', 60) };
        SubmitBatchResponse response = await SubmitAsync(server, [.. Enumerable.Repeat(large, 9_000)]);
        Assert.InRange(response.CalculateSize(), 1, MessageBytesMax);
        Assert.Equal(9_000, response.Results.Select(static result => result.Task.Id).Distinct().Count());
    }

    private static TaskSpec Gate(string id) => new() { Id = id, Kind = "gate" };

    private static string Describe(SubmitBatchResult result) =>
        result.Task?.Id ?? (result.Error.Reason.Length > 0 ? result.Error.Reason : $"INVALID {result.Error.Field}");

    private static async Task<SubmitBatchResponse> SubmitAsync(TestServer server, TaskSpec[] tasks, bool atomic = false) => await Call(server, tasks, atomic);

    private static AsyncUnaryCall<SubmitBatchResponse> Call(TestServer server, TaskSpec[] tasks, bool atomic = false) =>
        server.Client.SubmitBatchAsync(new SubmitBatchRequest { Tasks = { tasks }, Atomic = atomic }, TestServer.Call);
}
