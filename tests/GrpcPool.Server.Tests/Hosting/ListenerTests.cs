using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Hosting;

public sealed class ListenerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 20_000)]
    public async Task Probes_are_answered_by_the_listener_of_operations_alone()
    {
        await using TestServer server = await TestServer.StartAsync();
        using var http = new HttpClient();
        Assert.Equal("ok\n", await http.GetStringAsync(new Uri(server.OpsAddress, "livez"), Stop));
        Assert.Equal("ready\n", await http.GetStringAsync(new Uri(server.OpsAddress, "readyz"), Stop));
        foreach (string path in (string[])["livez", "readyz"])
        {
            Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri(server.HttpAddress, path), Stop)).StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, (await GetOverHttp2Async(new Uri(server.GrpcAddress, path))).StatusCode);
        }
    }

    [Theory(Timeout = 20_000)]
    [InlineData("POST", "livez")]
    [InlineData("GET", "Livez")]
    [InlineData("GET", "livez/")]
    [InlineData("POST", "metrics")]
    [InlineData("GET", "METRICS")]
    [InlineData("GET", "metrics/")]
    public async Task However_a_probe_is_asked_for_the_api_has_none(string method, string path)
    {
        await using TestServer server = await TestServer.StartAsync();
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(server.HttpAddress, path));
        using HttpResponseMessage response = await http.SendAsync(request, Stop);
        Assert.Contains(response.StatusCode, (HttpStatusCode[])[HttpStatusCode.NotFound, HttpStatusCode.MethodNotAllowed]);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_draining_server_lives_but_is_not_ready()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Pool.DrainTimeout = TimeSpan.FromSeconds(15));
        using var http = new HttpClient();
        await server.SubmitAsync(new TaskSpec { Kind = "gate" });
        await server.Gate.NextStartAsync();
        Task stopping = server.StopAsync();
        using HttpResponseMessage ready = await http.GetAsync(new Uri(server.OpsAddress, "readyz"), Stop);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not ready: the pool is Draining\n"), (ready.StatusCode, await ready.Content.ReadAsStringAsync(Stop)));
        Assert.Equal("ok\n", await http.GetStringAsync(new Uri(server.OpsAddress, "livez"), Stop));
        server.Gate.Open();
        await stopping;
    }

    [Theory(Timeout = 20_000)]
    [InlineData(GrpcWebMode.GrpcWeb)]
    [InlineData(GrpcWebMode.GrpcWebText)]
    public async Task The_api_is_reached_by_grpc_web(GrpcWebMode mode)
    {
        await using TestServer server = await TestServer.StartAsync();
        using GrpcChannel channel = ConnectWeb(server.HttpAddress, mode);
        var client = new TaskPoolService.TaskPoolServiceClient(channel);
        await client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Id = "a", Kind = "echo" } }, TestServer.Call);
        using AsyncServerStreamingCall<WatchResponse> watch = client.Watch(new WatchRequest { Ids = { "a" } }, TestServer.Call);
        TaskState last = TaskState.Unspecified;
        await foreach (WatchResponse message in watch.ResponseStream.ReadAllAsync(Stop))
            last = message.Events.LastOrDefault(static told => told.Task is not null)?.Task.State ?? last;
        Assert.Equal(TaskState.Succeeded, last);
        Assert.Equal(["task.kind"], await Refused.FieldsAsync(client.SubmitAsync(new SubmitRequest { Task = new TaskSpec() }, TestServer.Call)));

        await client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "echo", Payload = Bytes(900_000) } }, TestServer.Call);
        RpcException tooLarge = await Refused.WithAsync(StatusCode.ResourceExhausted, client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "echo", Payload = Bytes(4 << 20) } }, TestServer.Call));
        Assert.Contains("split what it carries", tooLarge.Status.Detail, StringComparison.Ordinal);
    }

    [Fact(Timeout = 20_000)]
    public async Task The_api_is_not_reached_by_the_listener_of_operations()
    {
        await using TestServer server = await TestServer.StartAsync();
        using GrpcChannel channel = ConnectWeb(server.OpsAddress, GrpcWebMode.GrpcWeb);
        var client = new TaskPoolService.TaskPoolServiceClient(channel);
        await Refused.WithAsync(StatusCode.Unimplemented, client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "echo" } }, TestServer.Call));
        Assert.Equal(0, await server.CountAsync());
    }

    [Fact(Timeout = 20_000)]
    public async Task Connections_above_the_limit_are_refused_and_probes_are_not_counted()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Limits.Connections = 2);
        Assert.Equal(0, await server.CountAsync());
        using (GrpcChannel second = server.Connect())
        {
            await new TaskPoolService.TaskPoolServiceClient(second).CountAsync(new CountRequest(), TestServer.Call);
            using GrpcChannel third = server.Connect();
            // Its client sees a cut, a reset or an unfinished handshake, whichever it meets first; what the server answers has no exception.
            RpcException refusal = await Assert.ThrowsAsync<RpcException>(async () => await new TaskPoolService.TaskPoolServiceClient(third).CountAsync(new CountRequest(), TestServer.Call));
            Assert.NotNull(refusal.Status.DebugException);
            using var http = new HttpClient();
            Assert.Equal("ok\n", await http.GetStringAsync(new Uri(server.OpsAddress, "livez"), Stop));
            Assert.Equal(0, await server.CountAsync());
        }
    }

    private static ByteString Bytes(int length)
    {
        byte[] bytes = new byte[length];
        Array.Fill(bytes, byte.MaxValue);
        return UnsafeByteOperations.UnsafeWrap(bytes);
    }

    private static GrpcChannel ConnectWeb(Uri address, GrpcWebMode mode) => GrpcChannel.ForAddress(
        address, new GrpcChannelOptions { HttpHandler = new GrpcWebHandler(mode, new HttpClientHandler()), HttpVersion = HttpVersion.Version11 });

    private static async Task<HttpResponseMessage> GetOverHttp2Async(Uri address)
    {
        using var http = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        return await http.GetAsync(address, Stop);
    }
}
