using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Hosting;

public sealed class MemoryGuardTests
{
    private const int Callers = 8;
    private const int RefusalsOfEach = 50;
    private const int SubmissionsMax = 1000;

    /// <summary>Far more than any answer takes on a busy machine.</summary>
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromMinutes(1);

    private static readonly Dictionary<string, string> SmallHeap = new() { ["DOTNET_GCHeapHardLimit"] = "0xC800000" };

    private static CallOptions Call => TestServer.Call.WithDeadline(TimeProvider.System.GetUtcNow().UtcDateTime + AnswerWithin);

    /// <summary>Each of these tasks keeps a mebibyte in memory; the heap has room for 200.</summary>
    [Fact(Timeout = 240_000)]
    public async Task A_flood_that_would_fill_the_memory_is_refused_and_when_it_is_over_new_tasks_are_taken_without_a_restart()
    {
        using ServerProcess server = await ServerProcess.ServeAsync(["Storage:Type=memory", "Queues:flood:Retention=00:00:00", "Listen:Http=", "Listen:Ops="], SmallHeap, TestContext.Current.CancellationToken);
        using GrpcChannel channel = GrpcChannel.ForAddress(server.GrpcAddress);
        var client = new TaskPoolService.TaskPoolServiceClient(channel);
        int[] accepted = await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => FloodAsync(client)));
        Assert.InRange(accepted.Sum(), 20, 200);

        // What is no new work is answered: reads, and endings.
        CountResponse count = await client.CountAsync(new CountRequest(), TestServer.Call);
        Assert.Equal(accepted.Sum(), count.Total);
        CancelMatchingResponse cancelled = await client.CancelMatchingAsync(new CancelMatchingRequest { Filter = new TaskFilter { Queues = { "flood" } } }, TestServer.Call);
        Assert.Equal(accepted.Sum(), cancelled.Cancelled);

        await server.UntilAsync("There is memory again");
        SubmitAndWatchRequest request = new() { Task = new TaskSpec { Kind = "echo", Payload = ByteString.CopyFromUtf8("hello") } };
        using AsyncServerStreamingCall<SubmitAndWatchResponse> after = client.SubmitAndWatch(request, TestServer.Call);
        while (await after.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
        {
        }

        await server.SignalAsync("TERM");
        Assert.Equal(0, (await server.EndAsync()).Code);
    }

    /// <summary>What is not read of a call would be cut off, and after some thousands of those the connection with it.</summary>
    [Fact(Timeout = 120_000)]
    public async Task However_many_calls_are_refused_on_a_connection_each_is_told_why()
    {
        using ServerProcess server = await ServerProcess.ServeAsync(["Storage:Type=memory", "Limits:MemoryGuard=0.1", "Listen:Http=", "Listen:Ops="], SmallHeap, TestContext.Current.CancellationToken);
        using GrpcChannel channel = GrpcChannel.ForAddress(server.GrpcAddress);
        var client = new TaskPoolService.TaskPoolServiceClient(channel);
        await FloodAsync(client);
        SubmitRequest request = new() { Task = new TaskSpec { Kind = "echo", Payload = Bytes(100_000) } };
        await Parallel.ForAsync(0, 4000, new ParallelOptions { MaxDegreeOfParallelism = Callers }, async (_, _) =>
        {
            RpcException refusal = await Refused.WithAsync(StatusCode.ResourceExhausted, client.SubmitAsync(request, Call));
            Assert.Equal("MEMORY_SHORT", refusal.Detail<ErrorInfo>().Reason);
        });
    }

    /// <summary>Bytes that, read in the middle, would begin a message that is compressed and has 4 GiB.</summary>
    private static ByteString Bytes(int length)
    {
        byte[] bytes = new byte[length];
        Array.Fill(bytes, byte.MaxValue);
        return UnsafeByteOperations.UnsafeWrap(bytes);
    }

    /// <returns>How many tasks were accepted before, between and after so many refusals.</returns>
    private static async Task<int> FloodAsync(TaskPoolService.TaskPoolServiceClient client)
    {
        ByteString payload = Bytes(1 << 20);
        (int accepted, int refused) = (0, 0);
        for (int i = 0; i < SubmissionsMax && refused < RefusalsOfEach; i++)
        {
            try
            {
                var task = new TaskSpec { Kind = "echo", Queue = "flood", Payload = payload, Delay = Duration.FromTimeSpan(TimeSpan.FromHours(1)) };
                await client.SubmitAsync(new SubmitRequest { Task = task }, Call);
                accepted++;
            }
            catch (RpcException refusal) when (refusal.StatusCode == StatusCode.ResourceExhausted)
            {
                Assert.Equal("MEMORY_SHORT", refusal.Detail<ErrorInfo>().Reason);
                Assert.True(refusal.Detail<RetryInfo>().RetryDelay.ToTimeSpan() > TimeSpan.Zero);
                refused++;
            }
        }

        Assert.Equal(RefusalsOfEach, refused);
        return accepted;
    }
}
