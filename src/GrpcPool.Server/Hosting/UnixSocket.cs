using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace GrpcPool.Server.Hosting;

/// <summary>The Unix socket of the API: for its owner and group alone, gone with the server.</summary>
internal static class UnixSocket
{
    /// <summary>The longest path that a socket's address holds on Linux, in bytes (unix(7): 108 with the closing NUL).</summary>
    public const int PathBytesMax = 107;

    private const UnixFileMode OwnerAndGroup = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>Binds a listener. Nobody can connect before it listens, hence not before its mode is set.</summary>
    /// <exception cref="AddressInUseException">Another server listens there, or something that is no socket is in the way.</exception>
    public static Socket Bind(EndPoint endpoint)
    {
        if (endpoint is not UnixDomainSocketEndPoint unix)
            return SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        string path = unix.ToString();
        RemoveStale(path, unix);
        Socket socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, OwnerAndGroup);
        return socket;
    }

    /// <summary>A socket that nobody answers is what a server that was killed has left behind.</summary>
    private static void RemoveStale(string path, UnixDomainSocketEndPoint endpoint)
    {
        if (!Path.Exists(path))
            return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(endpoint);
        }
        catch (SocketException fault) when (fault.SocketErrorCode == SocketError.ConnectionRefused && new FileInfo(path) is { Exists: true, Length: 0 })
        {
            File.Delete(path);
            return;
        }
        catch (SocketException fault)
        {
            throw new AddressInUseException($"{path} is in the way ({fault.Message})", fault);
        }

        throw new AddressInUseException($"another server listens on {path}");
    }
}
