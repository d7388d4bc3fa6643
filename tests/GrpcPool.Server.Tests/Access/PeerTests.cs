using System.Globalization;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcPool.Server.Access;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Access;

[SupportedOSPlatform("linux")]
public sealed class PeerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("grpcpool-peer-");

    private string SocketPath => Path.Combine(_folder.FullName, "pool.sock");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory(Timeout = 20_000)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Who_is_named_needs_no_token_on_the_socket(bool byUser, bool byGroup)
    {
        await using TestServer server = await StartAsync(byUser ? Own("Uid:") : null, byGroup ? Own("Gid:") : null);
        TaskInfo task = (await OnSocketAsync(static client => client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Id = "a", Kind = "echo" } }, TestServer.Call))).Task;
        Assert.Equal(("shop", "me"), (task.Namespace, task.SubmittedBy));
        await Refused.WithAsync(StatusCode.PermissionDenied, OnSocketAsync(static client => client.CountAsync(new CountRequest(), TestServer.Call)));
    }

    [Fact(Timeout = 20_000)]
    public async Task By_TCP_and_with_a_token_he_is_nobody_special()
    {
        await using TestServer server = await StartAsync(Own("Uid:"), null);
        await Refused.WithAsync(StatusCode.Unauthenticated, server.Client.CountAsync(new CountRequest(), TestServer.Call));
        CallOptions wrong = TestServer.Call.WithHeaders(new Metadata { { "authorization", "Bearer wrong" } });
        await Refused.WithAsync(StatusCode.Unauthenticated, OnSocketAsync(client => client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "echo" } }, wrong)));
    }

    [Theory(Timeout = 20_000)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Who_is_not_named_needs_a_token(bool otherUser, bool otherGroup)
    {
        await using TestServer server = await StartAsync(Own("Uid:") + (otherUser ? 1 : 0), Own("Gid:") + (otherGroup ? 54_321 : 0));
        await Refused.WithAsync(StatusCode.Unauthenticated, OnSocketAsync(static client => client.CountAsync(new CountRequest(), TestServer.Call)));
    }

    /// <summary>The number that counts now, of those in proc(5).</summary>
    private static int Own(string line) =>
        int.Parse(File.ReadLines("/proc/self/status").Single(status => status.StartsWith(line, StringComparison.Ordinal)).Split('\t')[2], CultureInfo.InvariantCulture);

    private Task<TestServer> StartAsync(int? user, int? group) => TestServer.StartAsync(
        socket: SocketPath, access: access => access.Peers.Add("me", new PeerOptions { Uid = user, Gid = group, Namespace = "shop", Roles = { "submit" } }));

    private async Task<T> OnSocketAsync<T>(Func<TaskPoolService.TaskPoolServiceClient, AsyncUnaryCall<T>> call)
    {
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions { HttpHandler = handler });
        return await call(new TaskPoolService.TaskPoolServiceClient(channel));
    }
}
