using System.Buffers.Binary;
using System.Net.Sockets;

namespace GrpcPool.Server.Tests.Infrastructure;

/// <summary>A connection that says whatever it likes, byte by byte.</summary>
internal sealed class RawConnection : IDisposable
{
    public const byte Data = 0, Headers = 1, Settings = 4, GoAway = 7;

    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    private readonly NetworkStream _stream;

    private RawConnection(Socket socket) => _stream = new NetworkStream(socket, ownsSocket: true);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<RawConnection> OpenAsync(Uri address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address.Host, address.Port, Stop);
        return new RawConnection(socket);
    }

    /// <summary>Opens HTTP/2, with no more than it takes.</summary>
    public static async Task<RawConnection> OpenHttp2Async(Uri address)
    {
        RawConnection connection = await OpenAsync(address);
        await connection.SendAsync([.. Preface, .. Frame(Settings, 0, 0, [])]);
        return connection;
    }

    public static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload, int? length = null)
    {
        byte[] frame = new byte[9 + payload.Length];
        int said = length ?? payload.Length;
        (frame[0], frame[1], frame[2], frame[3], frame[4]) = ((byte)(said >> 16), (byte)(said >> 8), (byte)said, type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    public async Task SendAsync(byte[] bytes) => await _stream.WriteAsync(bytes, Stop);

    /// <summary>Reads frames until one of a type comes; null where the server ends the connection before.</summary>
    public async Task<byte[]?> ReadUntilAsync(byte type)
    {
        try
        {
            byte[] header = new byte[9];
            while (true)
            {
                await _stream.ReadExactlyAsync(header, Stop);
                byte[] payload = new byte[(header[0] << 16) | (header[1] << 8) | header[2]];
                await _stream.ReadExactlyAsync(payload, Stop);
                if (header[3] == type)
                    return payload;
            }
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Waits until the server has ended the connection.</summary>
    public async Task UntilClosedAsync()
    {
        try
        {
            byte[] buffer = new byte[4096];
            while (await _stream.ReadAsync(buffer, Stop) > 0)
            {
            }
        }
        catch (IOException)
        {
            // A reset is an end as well.
        }
    }

    public void Dispose() => _stream.Dispose();
}
