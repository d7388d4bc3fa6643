using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using GrpcPool.Server.Access;
using GrpcPool.Server.Hosting;
using GrpcPool.Server.Tests.Access;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Server.Tests.Hosting;

public sealed class TlsTests : IDisposable
{
    private readonly CertificateFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact(Timeout = 30_000)]
    public async Task One_encrypted_port_serves_gRPC_and_gRPC_Web_and_asks_for_tokens()
    {
        await using TestServer server = await StartAsync(access: static access => access.Add("web", Role.Read));
        using GrpcChannel http2 = Connect(server);
        using GrpcChannel http1 = GrpcChannel.ForAddress(
            server.GrpcAddress, new GrpcChannelOptions { HttpHandler = new GrpcWebHandler(GrpcWebMode.GrpcWeb, Handler()), HttpVersion = HttpVersion.Version11 });
        foreach (GrpcChannel channel in (GrpcChannel[])[http2, http1])
        {
            var client = new TaskPoolService.TaskPoolServiceClient(channel);
            await Refused.WithAsync(StatusCode.Unauthenticated, client.CountAsync(new CountRequest(), TestServer.Call));
            Assert.Equal(0, (await client.CountAsync(new CountRequest(), TestServer.Call.WithHeaders([new("authorization", "Bearer web")]))).Total);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task With_client_authorities_nobody_is_answered_without_a_certificate_of_theirs()
    {
        using var others = new CertificateFiles();
        await using TestServer server = await StartAsync(mutual: true);
        using X509Certificate2 known = _files.Issue("client"), unknown = others.Issue("client");
        using GrpcChannel without = Connect(server), foreign = Connect(server, unknown), own = Connect(server, known);
        foreach (GrpcChannel refused in (GrpcChannel[])[without, foreign])
            await Assert.ThrowsAsync<RpcException>(() => new TaskPoolService.TaskPoolServiceClient(refused).CountAsync(new CountRequest(), TestServer.Call).ResponseAsync);
        Assert.Equal(0, (await new TaskPoolService.TaskPoolServiceClient(own).CountAsync(new CountRequest(), TestServer.Call)).Total);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_renewed_certificate_holds_for_connections_that_begin_later_and_those_that_stand_go_on()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using TestServer server = await StartAsync(time: time);
        string first = await ShownAsync(server);
        using GrpcChannel standing = Connect(server);
        var client = new TaskPoolService.TaskPoolServiceClient(standing);
        await client.CountAsync(new CountRequest(), TestServer.Call);

        string renewed = _files.Renew();
        time.Advance(FileWatch.Interval);
        await server.Log.WhenAsync(static entry => entry.Message.Contains("has changed", StringComparison.Ordinal));
        Assert.NotEqual(first, renewed);
        Assert.Equal(renewed, await ShownAsync(server));
        await client.CountAsync(new CountRequest(), TestServer.Call);

        await File.WriteAllTextAsync(_files.Key, "no key", TestContext.Current.CancellationToken);
        time.Advance(FileWatch.Interval);
        await server.Log.WhenAsync(static entry => entry.Message.Contains("cannot be used", StringComparison.Ordinal));
        Assert.Equal(renewed, await ShownAsync(server));
    }

    private Task<TestServer> StartAsync(TimeProvider? time = null, bool mutual = false, Action<AccessOptions>? access = null) => TestServer.StartAsync(time: time, access: access, listening: listen =>
    {
        listen.Grpc = "https://127.0.0.1:0";
        (listen.Tls.Certificate, listen.Tls.Key, listen.Tls.ClientAuthorities) = (_files.Certificate, _files.Key, mutual ? _files.Authority : null);
    });

    private GrpcChannel Connect(TestServer server, X509Certificate2? own = null) => GrpcChannel.ForAddress(server.GrpcAddress, new GrpcChannelOptions { HttpHandler = Handler(own) });

    /// <summary>Trusts the authority of the test alone.</summary>
    private SocketsHttpHandler Handler(X509Certificate2? own = null, Action<X509Certificate2>? shown = null)
    {
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.ImportFromPemFile(_files.Authority);
        var tls = new SslClientAuthenticationOptions { CertificateChainPolicy = trust };
        if (own is not null)
            tls.ClientCertificates = [own];
        tls.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
        {
            shown?.Invoke((X509Certificate2)certificate!);
            return errors == SslPolicyErrors.None;
        };
        return new SocketsHttpHandler { SslOptions = tls };
    }

    /// <summary>The serial number of the certificate that a new connection gets.</summary>
    private async Task<string> ShownAsync(TestServer server)
    {
        string serial = "";
        using GrpcChannel channel = GrpcChannel.ForAddress(server.GrpcAddress, new GrpcChannelOptions { HttpHandler = Handler(shown: certificate => serial = certificate.SerialNumber) });
        await new TaskPoolService.TaskPoolServiceClient(channel).CountAsync(new CountRequest(), TestServer.Call);
        return serial;
    }
}
