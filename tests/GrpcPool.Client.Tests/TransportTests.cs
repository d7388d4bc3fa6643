using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using GrpcPool.Client.Tests.Infrastructure;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Client.Tests;

public sealed class TransportTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("grpcpool-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact(Timeout = 60_000)]
    public async Task Each_call_bears_the_token_and_the_namespace_once()
    {
        var seen = new List<Metadata>();
        var pool = new StubPool { OnSubmit = (_, context) => Note(seen, context) };
        await using StubServer server = await StubServer.StartAsync(pool);
        using GrpcPoolClient client = TestClient.Of(server.Address, configure: static options => (options.Token, options.Namespace) = ("t0ken", "team"));

        await client.SubmitAsync(TestClient.Echo(), TestClient.Stop);
        var headers = new Metadata { { "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" }, { "grpcpool-namespace", "other" } };
        await client.Service.SubmitAsync(new SubmitRequest { Task = TestClient.Echo() }, headers, cancellationToken: TestClient.Stop);

        Assert.All(seen, static metadata => Assert.Equal("Bearer t0ken", Assert.Single(metadata.GetAll("authorization")).Value));
        Assert.All(seen, static metadata => Assert.Equal("team", Assert.Single(metadata.GetAll("grpcpool-namespace")).Value));
        Assert.NotNull(seen[1].GetValue("traceparent"));
        Assert.Equal(2, headers.Count);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_server_is_reached_over_its_Unix_socket()
    {
        string socket = Path.Combine(_folder.FullName, "pool.sock");
        await using TestServer server = await TestServer.StartAsync(socket: socket);
        using GrpcPoolClient client = TestClient.Of(new Uri($"unix:{socket}"));
        TaskHandle task = await client.SubmitAsync(TestClient.Echo("over a socket"), TestClient.Stop);
        Assert.Equal("over a socket", (await task).Result.ToStringUtf8());
    }

    /// <summary>.NET grants more when an eighth is read, and who grants it too late may lose the answer of another call.</summary>
    [Fact(Timeout = 60_000)]
    public async Task The_server_may_send_so_much_of_an_answer_ahead_that_few_need_more()
    {
        const int Preface = 24, Header = 9, Setting = 6, InitialWindowSize = 4;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using GrpcPoolClient client = TestClient.Of(new Uri($"http://{listener.LocalEndpoint}"));
        using var over = CancellationTokenSource.CreateLinkedTokenSource(TestClient.Stop);
        Task call = client.SubmitAsync(TestClient.Echo(), over.Token);

        using TcpClient connection = await listener.AcceptTcpClientAsync(TestClient.Stop);
        byte[] begin = new byte[Preface + Header];
        await connection.GetStream().ReadExactlyAsync(begin, TestClient.Stop);
        byte[] settings = new byte[begin[Preface + 2]];
        await connection.GetStream().ReadExactlyAsync(settings, TestClient.Stop);
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => call);

        Dictionary<int, uint> told = settings.Chunk(Setting).ToDictionary(static one => (int)BinaryPrimitives.ReadUInt16BigEndian(one), static one => BinaryPrimitives.ReadUInt32BigEndian(one.AsSpan(2)));
        Assert.True(told[InitialWindowSize] / 8 >= 512 << 10);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_server_is_trusted_by_its_authority()
    {
        var authority = new Authority(_folder);
        using X509Certificate2 certificate = authority.Issue("localhost");
        await using StubServer server = await StubServer.StartAsync(new StubPool(), certificate);
        using GrpcPoolClient client = TestClient.Of(server.Address, configure: options => options.CaCertificateFile = authority.File);
        Assert.Equal("a", (await client.SubmitAsync(TestClient.Echo(id: "a"), TestClient.Stop)).Id);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("localhost", false)]
    [InlineData("other.example", true)]
    public async Task A_server_of_another_authority_or_name_is_refused_at_once(string name, bool ofKnownAuthority)
    {
        (Authority known, Authority other) = (new(_folder), new(_folder));
        using X509Certificate2 certificate = (ofKnownAuthority ? known : other).Issue(name);
        await using StubServer server = await StubServer.StartAsync(new StubPool(), certificate);
        using GrpcPoolClient client = TestClient.Of(server.Address, configure: options => (options.CaCertificateFile, options.RetryFor) = (known.File, Timeout.InfiniteTimeSpan));
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(() => client.SubmitAsync(TestClient.Echo(), TestClient.Stop));
        Assert.Contains("certificate", refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_client_shows_its_own_certificate()
    {
        var authority = new Authority(_folder);
        using X509Certificate2 certificate = authority.Issue("localhost");
        (string own, string key) = authority.IssueFiles("client");
        string? seen = null;
        var pool = new StubPool { OnSubmit = (request, context) => { seen = context.GetHttpContext().Connection.ClientCertificate?.Subject; return new SubmitResponse(); } };
        await using StubServer server = await StubServer.StartAsync(pool, certificate, clientsNeedOne: true);
        using GrpcPoolClient client = TestClient.Of(
            server.Address, configure: options => (options.CaCertificateFile, options.ClientCertificateFile, options.ClientKeyFile) = (authority.File, own, key));
        await client.SubmitAsync(TestClient.Echo(), TestClient.Stop);
        Assert.Equal("CN=client", seen);
    }

    private static SubmitResponse Note(List<Metadata> seen, ServerCallContext context)
    {
        seen.Add(context.RequestHeaders);
        return new SubmitResponse();
    }
}
