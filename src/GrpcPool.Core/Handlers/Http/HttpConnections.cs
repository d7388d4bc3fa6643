using System.Net;
using System.Net.Sockets;

namespace GrpcPool.Core.Handlers.Http;

/// <summary>
/// The connections of all HTTP handlers. Nothing in a response, and nothing in this process's environment, sends a request elsewhere than to its address; and no name
/// leads to a link-local one, where clouds keep their credentials, whatever it is said to stand for since the settings were written.
/// </summary>
internal sealed class HttpConnections : IDisposable
{
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>In KiB.</summary>
    private const int ResponseHeadersMax = 32;

    private const int DrainBytesMax = 65_536;

    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Shorter than the 2 s after which common servers close: a request on a connection that is just being closed fails.</summary>
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(1);

    /// <summary>After this the address is looked up again.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _lookUp;
    private readonly HttpMessageInvoker _invoker;

    public HttpConnections()
        : this(Dns.GetHostAddressesAsync)
    {
    }

    /// <param name="lookUp">Finds the addresses of a name.</param>
    internal HttpConnections(Func<string, CancellationToken, Task<IPAddress[]>> lookUp)
    {
        _lookUp = lookUp;
        _invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ActivityHeadersPropagator = null,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = ConnectAsync,
            ConnectTimeout = ConnectTimeout,
            Credentials = null,
            MaxResponseDrainSize = DrainBytesMax,
            MaxResponseHeadersLength = ResponseHeadersMax,
            PooledConnectionIdleTimeout = IdleTimeout,
            PooledConnectionLifetime = Lifetime,
            ResponseDrainTimeout = DrainTimeout,
            UseCookies = false,
            UseProxy = false,
        });
    }

    /// <summary>Sends a request, and returns when the response's headers are there.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken stopping) => _invoker.SendAsync(request, stopping);

    public void Dispose() => _invoker.Dispose();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        DnsEndPoint target = context.DnsEndPoint;
        IPAddress[] addresses = IPAddress.TryParse(target.Host, out IPAddress? given)
            ? [given]
            : Array.FindAll(await _lookUp(target.Host, cancellation).ConfigureAwait(false), static address => !IsLinkLocal(address));
        if (addresses.Length == 0)
            throw new HttpRequestException(HttpRequestError.NameResolutionError, $"{target.Host} stands for link-local addresses only, which are reached by number alone");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, target.Port, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static bool IsLinkLocal(IPAddress address)
    {
        IPAddress bare = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return bare.IsIPv6LinkLocal || (bare.AddressFamily == AddressFamily.InterNetwork && bare.GetAddressBytes() is [169, 254, ..]);
    }
}
