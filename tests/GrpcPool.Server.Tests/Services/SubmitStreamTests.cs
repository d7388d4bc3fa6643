using Google.Rpc;
using Grpc.Core;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class SubmitStreamTests
{
    [Fact(Timeout = 30_000)]
    public async Task Ten_thousand_tasks_are_answered_in_order_by_their_sequences()
    {
        await using TestServer server = await TestServer.StartAsync();
        using AsyncDuplexStreamingCall<SubmitStreamRequest, SubmitStreamResponse> stream = server.Client.SubmitStream(TestServer.Call);
        Task<List<SubmitStreamResult>> answers = ReadAllAsync(stream);
        foreach (int[] chunk in Enumerable.Range(0, 10_000).Chunk(100))
            await WriteAsync(stream, chunk.Select(static i => Item(1000 + i, new TaskSpec { Id = $"t{i}", Kind = "echo", Queue = $"q{i % 3}" })));
        await stream.RequestStream.CompleteAsync();

        List<SubmitStreamResult> results = await answers;
        Assert.Equal(Enumerable.Range(0, 10_000).Select(static i => ((long)(1000 + i), $"t{i}", true)), results.Select(static r => (r.Sequence, r.Id, r.Created)));
        Assert.Equal(10_000, await server.CountAsync());
    }

    [Fact(Timeout = 20_000)]
    public async Task An_item_with_an_error_does_not_end_the_stream()
    {
        await using TestServer server = await TestServer.StartAsync();
        using AsyncDuplexStreamingCall<SubmitStreamRequest, SubmitStreamResponse> stream = server.Client.SubmitStream(TestServer.Call);
        await WriteAsync(stream, [Item(7, new TaskSpec { Id = "a", Kind = "echo" }), Item(7, new TaskSpec { Kind = "?" }), Item(-3, new TaskSpec { Kind = "unknown" })]);
        await WriteAsync(stream, [Item(9, new TaskSpec { Id = "a", Kind = "echo" })]);
        await stream.RequestStream.CompleteAsync();

        List<SubmitStreamResult> results = await ReadAllAsync(stream);
        Assert.Equal([7, 7, -3, 9], results.Select(static result => result.Sequence));
        Assert.Equal(((int)Code.InvalidArgument, "items[1].task.kind"), (results[1].Error.Code, results[1].Error.Field));
        Assert.Equal("KIND_NOT_FOUND", results[2].Error.Reason);
        Assert.Equal((true, "a", false), (results[0].Created, results[3].Id, results[3].Created));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_full_queue_slows_the_producer_and_nothing_is_lost()
    {
        await using TestServer server = await TestServer.StartAsync(static options =>
        {
            options.Pool.Slots = 1;
            options.Queues["default"] = new QueueOptions { Capacity = 10, WhenFull = FullPolicy.Wait };
        });
        await server.SubmitAsync(new TaskSpec { Kind = "gate" });
        await server.Gate.NextStartAsync();

        using AsyncDuplexStreamingCall<SubmitStreamRequest, SubmitStreamResponse> stream = server.Client.SubmitStream(TestServer.Call);
        Task<List<SubmitStreamResult>> answers = ReadAllAsync(stream);
        string padding = new('x', 1000);
        int written = 0;
        Task writing = WriteAllAsync();

        // The flow control lets only so much of the 20 MB in while the queue is full.
        using var watch = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter { Kinds = { "echo" } } });
        await watch.UntilAsync(static watch => watch.Tasks.Count == 10);
        Assert.Equal(10, await server.CountAsync(TaskState.Queued));
        Assert.False(writing.IsCompleted);

        server.Gate.Open();
        await writing;
        List<SubmitStreamResult> results = await answers;
        Assert.Equal(Enumerable.Range(1, 20_000).Select(static i => (long)i), results.Select(static result => result.Sequence));
        Assert.All(results, static result => Assert.True(result.Created, result.Error?.Message));
        Assert.Equal(20_001, await server.CountAsync());

        async Task WriteAllAsync()
        {
            while (written < 20_000)
            {
                await WriteAsync(stream, Enumerable.Range(0, 10).Select(_ => Item(++written, new TaskSpec { Id = $"t{written}", Kind = "echo", Labels = { ["a"] = padding[..250] }, Headers = { ["padding"] = padding } })));
            }

            await stream.RequestStream.CompleteAsync();
        }
    }

    /// <summary>A message of 4 MiB holds half a million of the smallest items.</summary>
    [Fact(Timeout = 30_000)]
    public async Task The_answers_fit_into_messages_however_many_items_one_message_had()
    {
        await using TestServer server = await TestServer.StartAsync();
        using AsyncDuplexStreamingCall<SubmitStreamRequest, SubmitStreamResponse> stream = server.Client.SubmitStream(TestServer.Call);
        Task<List<SubmitStreamResult>> answers = ReadAllAsync(stream);
        await WriteAsync(stream, Enumerable.Range(0, 100_000).Select(static i => Item(i, new TaskSpec { Kind = "?" })));
        await stream.RequestStream.CompleteAsync();
        Assert.Equal(Enumerable.Range(0, 100_000).Select(static i => (long)i), (await answers).Select(static result => result.Sequence));
    }

    [Fact(Timeout = 20_000)]
    public async Task An_item_without_a_task_ends_the_stream()
    {
        await using TestServer server = await TestServer.StartAsync();
        using AsyncDuplexStreamingCall<SubmitStreamRequest, SubmitStreamResponse> stream = server.Client.SubmitStream(TestServer.Call);
        await WriteAsync(stream, [Item(1, new TaskSpec { Kind = "echo" }), new SubmitStreamItem { Sequence = 2 }]);
        RpcException refusal = await Refused.WithAsync(StatusCode.InvalidArgument, ReadAllAsync(stream));
        Assert.Equal(["items[1].task"], Refused.FieldsOf(refusal));
    }

    [Theory(Timeout = 20_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_leaves_without_a_word_is_no_fault_of_the_server(bool connectionEnds)
    {
        await using TestServer server = await TestServer.StartAsync();
        for (int i = 0; i < 20; i++)
        {
            using var channel = server.Connect();
            using AsyncDuplexStreamingCall<SubmitStreamRequest, SubmitStreamResponse> stream = new TaskPoolService.TaskPoolServiceClient(channel).SubmitStream(TestServer.Call);
            await WriteAsync(stream, [Item(1, new TaskSpec { Kind = "echo" })]);
            Assert.True(await stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
            ((IDisposable)(connectionEnds ? channel : stream)).Dispose();
        }
    }

    private static SubmitStreamItem Item(long sequence, TaskSpec task) => new() { Sequence = sequence, Task = task };

    private static Task WriteAsync(AsyncDuplexStreamingCall<SubmitStreamRequest, SubmitStreamResponse> stream, IEnumerable<SubmitStreamItem> items) =>
        stream.RequestStream.WriteAsync(new SubmitStreamRequest { Items = { items } }, TestContext.Current.CancellationToken);

    private static async Task<List<SubmitStreamResult>> ReadAllAsync(AsyncDuplexStreamingCall<SubmitStreamRequest, SubmitStreamResponse> stream)
    {
        var results = new List<SubmitStreamResult>();
        await foreach (SubmitStreamResponse response in stream.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            Assert.InRange(response.CalculateSize(), 1, 3_670_016);
            results.AddRange(response.Results);
        }

        return results;
    }
}
