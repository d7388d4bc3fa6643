using System.Net;

namespace GrpcPool.Core.Handlers.Http;

/// <summary>The connections of all HTTP handlers. Nothing in a response, and nothing in this process's environment, sends a request elsewhere than to its address.</summary>
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

    private readonly HttpMessageInvoker _invoker = new(new SocketsHttpHandler
    {
        ActivityHeadersPropagator = null,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
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

    /// <summary>Sends a request, and returns when the response's headers are there.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken stopping) => _invoker.SendAsync(request, stopping);

    public void Dispose() => _invoker.Dispose();
}
