using System.Net.Sockets;
using Google.Rpc;
using Grpc.Core;

namespace GrpcPool.Client;

/// <summary>What an error says about trying again.</summary>
internal static class Trouble
{
    /// <summary>Whether the same call may succeed later. The caller's own cancellation must have been ruled out before.</summary>
    public static bool MayPass(this RpcException error) => error.StatusCode switch
    {
        // A stream that was cut has no status; the transport calls that CANCELLED.
        StatusCode.Unavailable or StatusCode.Cancelled => true,
        StatusCode.ResourceExhausted => error.RetryAfter() is not null,
        StatusCode.Internal or StatusCode.Unknown => IsOfTransport(error.Status.DebugException),
        _ => false,
    };

    /// <summary>After what time the server would like to be asked again, if it said so.</summary>
    public static TimeSpan? RetryAfter(this RpcException error) => error.GetRpcStatus()?.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan();

    private static bool IsOfTransport(Exception? cause) => cause switch
    {
        null => false,
        IOException or SocketException => true,

        // Of a connection that is cut amid its handshake nothing more is told.
        HttpRequestException { InnerException: null } http => http.HttpRequestError is not (HttpRequestError.VersionNegotiationError or HttpRequestError.SecureConnectionError),
        _ => IsOfTransport(cause.InnerException),
    };
}
