using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Client;

/// <summary>Channels to a server: over TCP, TLS or a Unix socket.</summary>
internal static class PoolChannel
{
    private const string UnixScheme = "unix";

    /// <summary>
    /// How much of an answer the server may send ahead. .NET lets it send more whenever an eighth is read, and ASP.NET Core loses an answer now and then where such leave comes for a call that has
    /// just ended (dotnet/aspnetcore#53736): so answers of less than half a MiB need none.
    /// </summary>
    private const int StreamWindow = 4 << 20;

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    public static bool IsKnown(Uri? address) =>
        address is { IsAbsoluteUri: true } && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps || IsSocket(address));

    /// <summary>Whether nobody on the way can read what is sent.</summary>
    public static bool IsConfidential(Uri address) => address.Scheme == Uri.UriSchemeHttps || address.IsLoopback || IsSocket(address);

    public static GrpcChannel Open(GrpcPoolClientOptions options, ILoggerFactory? logs)
    {
        Uri address = options.Address;
        var channel = new GrpcChannelOptions
        {
            HttpHandler = MakeHandler(options),
            DisposeHttpClient = true,
            LoggerFactory = logs,
            MaxReconnectBackoff = Patience.PauseMax,
            InitialReconnectBackoff = Patience.PauseMin,
        };
        return GrpcChannel.ForAddress(IsSocket(address) ? new Uri("http://localhost") : address, channel);
    }

    /// <summary>Calls that say who makes them.</summary>
    public static CallInvoker Identified(CallInvoker calls, GrpcPoolClientOptions options)
    {
        var caller = new Metadata();
        if (options.Token is { } token)
            caller.Add("authorization", $"Bearer {token}");
        if (options.Namespace is { } name)
            caller.Add("grpcpool-namespace", name);
        return caller.Count == 0 ? calls : calls.Intercept(given => [.. given.Where(entry => caller.Get(entry.Key) is null), .. caller]);
    }

    private static bool IsSocket(Uri address) => address.Scheme == UnixScheme && address.AbsolutePath.StartsWith('/');

    private static SocketsHttpHandler MakeHandler(GrpcPoolClientOptions options)
    {
        Uri address = options.Address;
        var handler = new SocketsHttpHandler
        {
            // A proxy of the environment is not for this machine itself.
            UseProxy = !IsSocket(address) && !address.IsLoopback,
            EnableMultipleHttp2Connections = true,
            InitialHttp2StreamWindowSize = StreamWindow,
            ConnectTimeout = ConnectTimeout,
            KeepAlivePingDelay = options.PingAfter,
            KeepAlivePingTimeout = options.PingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        };
        if (IsSocket(address))
            handler.ConnectCallback = (_, cancellation) => ConnectAsync(Uri.UnescapeDataString(address.AbsolutePath), cancellation);
        if (address.Scheme == Uri.UriSchemeHttps)
            handler.SslOptions = MakeTls(options);
        return handler;
    }

    private static SslClientAuthenticationOptions MakeTls(GrpcPoolClientOptions options)
    {
        var tls = new SslClientAuthenticationOptions();
        if (options.CaCertificateFile is { } authorities)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            tls.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(authorities);
        }

        if (options.ClientCertificateFile is { } own)
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(own);
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(own, options.ClientKeyFile), chain, offline: true);
        }

        return tls;
    }

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception error)
        {
            socket.Dispose();

            // A missing file is told as if it were an address of a network.
            if (error is SocketException { SocketErrorCode: SocketError.AddressNotAvailable } refused)
                throw new SocketException(refused.ErrorCode, "there is no such socket");
            throw;
        }
    }
}
