using System.Buffers.Binary;
using System.Net.Http.Headers;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.Testing.Hostile;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Hostile;

/// <summary>Rubbish gets its error, and the server goes on serving.</summary>
public sealed class RubbishTests
{
    private const int FrameSizeError = 6;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 20_000)]
    public async Task Headers_of_65_KB_are_answered_by_the_transport()
    {
        await using TestServer server = await TestServer.StartAsync();
        using (var channel = server.Connect())
        {
            CallOptions call = TestServer.Call.WithHeaders(new Metadata { { "x-large", new string('x', 65_000) } });
            await Assert.ThrowsAsync<RpcException>(() => new TaskPoolService.TaskPoolServiceClient(channel).CountAsync(new CountRequest(), call).ResponseAsync);
        }

        await AssertServesAsync(server);
    }

    [Theory(Timeout = 20_000)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Random_bytes_end_their_connection(int listener)
    {
        await using TestServer server = await TestServer.StartAsync();
        byte[] bytes = new byte[20_000];
        new Random(listener).NextBytes(bytes);
        using (RawConnection connection = await RawConnection.OpenAsync(((Uri[])[server.GrpcAddress, server.HttpAddress, server.OpsAddress])[listener], Stop))
        {
            await connection.SendAsync(bytes);
            await connection.UntilClosedAsync();
        }

        await AssertServesAsync(server);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_half_open_frame_disturbs_nobody()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection connection = await RawConnection.OpenHttp2Async(server.GrpcAddress, Stop);
        await connection.SendAsync(RawConnection.Frame(RawConnection.Headers, 4, 1, new byte[10], length: 1000));
        Assert.NotNull(await connection.ReadUntilAsync(RawConnection.Settings));
        await AssertServesAsync(server);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_frame_that_is_too_large_is_a_frame_size_error()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection connection = await RawConnection.OpenHttp2Async(server.GrpcAddress, Stop);
        await connection.SendAsync(RawConnection.Frame(RawConnection.Data, 0, 1, new byte[100], length: 0xFFFFFF));
        byte[]? farewell = await connection.ReadUntilAsync(RawConnection.GoAway);
        Assert.Equal(FrameSizeError, BinaryPrimitives.ReadInt32BigEndian(farewell.AsSpan(4)));
        await AssertServesAsync(server);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_message_that_is_too_large_is_refused()
    {
        await using TestServer server = await TestServer.StartAsync();
        RpcException refusal = await Refused.WithAsync(StatusCode.ResourceExhausted, server.Client.SubmitAsync(new SubmitRequest { Task = TooLarge }, TestServer.Call));
        Assert.Contains("one may have 4194304", refusal.Status.Detail, StringComparison.Ordinal);
        await AssertServesAsync(server);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_message_of_a_stream_that_is_too_large_is_refused()
    {
        await using TestServer server = await TestServer.StartAsync();
        AsyncDuplexStreamingCall<SubmitStreamRequest, SubmitStreamResponse> stream = server.Client.SubmitStream(TestServer.Call);
        Task writing = stream.RequestStream.WriteAsync(new SubmitStreamRequest { Items = { new SubmitStreamItem { Task = TooLarge } } }, Stop);
        await Refused.WithAsync(StatusCode.ResourceExhausted, stream.ResponseStream.MoveNext(Stop));

        // The server does not read the rest, for which the client may still have no credit: leaving ends the write.
        stream.Dispose();
        await Record.ExceptionAsync(() => writing);
        await AssertServesAsync(server);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_message_that_is_no_message_is_an_error_of_its_call()
    {
        await using TestServer server = await TestServer.StartAsync();
        server.Expected = static entry => entry.Category == "Grpc.AspNetCore.Server.ServerCallHandler"; // Of bytes that cannot be unpacked the library logs an error of its own.
        using var http = new HttpClient();
        foreach (byte[] body in (byte[][])[[], [0, 0], [7, 0, 0, 0, 0], RawCall.Message([0xFF, 0xFF, 0xFF]), [0, 0, 0, 0, 9, 1], RawCall.Message([1, 2, 3], compressed: 1)])
            Assert.NotEqual("0", await RawCall.PostAsync(http, server.GrpcAddress, RawCall.Submit, new ByteArrayContent(body), Stop, ("grpc-encoding", "gzip")));
        await AssertServesAsync(server);
    }

    [Fact(Timeout = 20_000)]
    public async Task Bytes_that_are_no_message_of_the_contract_are_told_so()
    {
        await using TestServer server = await TestServer.StartAsync();
        CallInvoker invoker = server.Channel.CreateCallInvoker();
        Assert.Equal(["request"], await Refused.FieldsAsync(invoker.AsyncUnaryCall(RawCall.Method(MethodType.Unary, TaskPoolService.Descriptor.FullName, "Submit"), null, TestServer.Call, [0xFF, 0xFF])));
        using AsyncDuplexStreamingCall<byte[], byte[]> stream = invoker.AsyncDuplexStreamingCall(RawCall.Method(MethodType.DuplexStreaming, WorkerService.Descriptor.FullName, "Connect"), null, TestServer.Call);
        Assert.Equal(["request"], Refused.FieldsOf(await Refused.WithAsync(StatusCode.InvalidArgument, stream.AnswerAsync([0xFF, 0xFF]))));
        await AssertServesAsync(server);
    }

    [Theory(Timeout = 20_000)]
    [InlineData("grpcpool.v1.TaskPoolService/SubmitStream")]
    [InlineData("grpcpool.v1.WorkerService/Connect")]
    [InlineData("grpc.reflection.v1.ServerReflection/ServerReflectionInfo")]
    public async Task Bytes_of_a_stream_that_cannot_be_unpacked_are_their_callers_mistake(string method)
    {
        await using TestServer server = await TestServer.StartAsync();
        using var http = new HttpClient();
        foreach (byte[] body in (byte[][])[[2, 0, 0, 0, 0], RawCall.Message([1, 2, 3], compressed: 1), RawCall.Message([0xFF, 0xFF, 0xFF])])
            Assert.Equal($"{(int)StatusCode.InvalidArgument}", await RawCall.PostAsync(http, server.GrpcAddress, method, new ByteArrayContent(body), Stop, ("grpc-encoding", "gzip")));
        await AssertServesAsync(server);
    }

    /// <summary>Nobody but the caller hears of it: the server writes no line.</summary>
    [Theory(Timeout = 20_000)]
    [InlineData("!!!!!!!!")]
    [InlineData("AAA")]
    [InlineData("AAAAAAA=AAAAAAA=")]
    public async Task Text_that_is_no_message_is_its_callers_mistake(string text)
    {
        await using TestServer server = await TestServer.StartAsync();
        using var http = new HttpClient();
        using var body = new StringContent(text, new MediaTypeHeaderValue("application/grpc-web-text"));
        using HttpResponseMessage response = await http.PostAsync(new Uri(server.HttpAddress, RawCall.Submit), body, Stop);
        string answer = await response.Content.ReadAsStringAsync(Stop);
        string status = response.Headers.TryGetValues("grpc-status", out IEnumerable<string>? told) ? told.Single() : Encoding.UTF8.GetString(Convert.FromBase64String(answer)).Split("grpc-status: ")[1].Split('\r')[0];
        Assert.Equal($"{(int)StatusCode.InvalidArgument}", status);
        await AssertServesAsync(server);
    }

    [Theory(Timeout = 20_000)]
    [InlineData(RawCall.Submit)]
    [InlineData(RawCall.SubmitStream)]
    public async Task A_message_that_says_it_has_gigabytes_is_too_large(string method)
    {
        await using TestServer server = await TestServer.StartAsync();
        using var http = new HttpClient();
        string status = await RawCall.PostAsync(http, server.GrpcAddress, method, new ByteArrayContent(RawCall.Message(new byte[1000], length: uint.MaxValue)), Stop);
        Assert.Equal($"{(int)StatusCode.ResourceExhausted}", status);
        await AssertServesAsync(server);
    }

    private static TaskSpec TooLarge => new() { Kind = "echo", Payload = ByteString.CopyFrom(new byte[(4 << 20) + 1]) };

    private static async Task AssertServesAsync(TestServer server) => Assert.Equal(TaskState.Succeeded, (await server.RunAsync(new TaskSpec { Kind = "echo" })).State);
}
