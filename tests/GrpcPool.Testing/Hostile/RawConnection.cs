using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace GrpcPool.Testing.Hostile;

/// <summary>A connection that says whatever it likes, byte by byte.</summary>
internal sealed class RawConnection : IDisposable
{
    public const byte Data = 0, Headers = 1, Reset = 3, Settings = 4, Ping = 6, GoAway = 7, WindowUpdate = 8, Continuation = 9;

    public const byte EndStream = 1, Acknowledgement = 1, EndHeaders = 4;

    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    private readonly NetworkStream _stream;
    private readonly CancellationToken _stop;

    private RawConnection(Socket socket, CancellationToken stop) => (_stream, _stop) = (new NetworkStream(socket, ownsSocket: true), stop);

    public static async Task<RawConnection> OpenAsync(Uri address, CancellationToken stop)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address.Host, address.Port, stop);
            return new RawConnection(socket, stop);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Opens HTTP/2, with no more than it takes.</summary>
    public static async Task<RawConnection> OpenHttp2Async(Uri address, CancellationToken stop)
    {
        RawConnection connection = await OpenAsync(address, stop);
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

    /// <summary>The headers of a call, as HPACK (RFC 7541) has them without compression.</summary>
    /// <param name="method">The RPC, such as <c>/grpcpool.v1.TaskPoolService/Submit</c>.</param>
    /// <param name="more">Further headers.</param>
    public static byte[] Call(string method, params (string Name, string Value)[] more) =>
    [
        0x83, 0x86, 0x04, .. Text(method), 0x01, .. Text("localhost"), 0x0F, 0x10, .. Text("application/grpc"), .. Header("te", "trailers"), .. more.SelectMany(static header => Header(header.Name, header.Value)),
    ];

    /// <summary>A header that is not to be remembered.</summary>
    public static byte[] Header(string name, string value) => [0, .. Text(name), .. Text(value)];

    public async Task SendAsync(byte[] bytes) => await _stream.WriteAsync(bytes, _stop);

    /// <summary>Reads a frame, or fails with <see cref="IOException"/> where the server has ended the connection.</summary>
    public async Task<(byte Type, byte Flags, int Stream, byte[] Payload)> ReadAsync()
    {
        byte[] header = new byte[9];
        await _stream.ReadExactlyAsync(header, _stop);
        byte[] payload = new byte[(header[0] << 16) | (header[1] << 8) | header[2]];
        await _stream.ReadExactlyAsync(payload, _stop);
        return (header[3], header[4], BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5)), payload);
    }

    /// <summary>Reads frames until one of a type comes; null where the server ends the connection before.</summary>
    public async Task<byte[]?> ReadUntilAsync(byte type)
    {
        try
        {
            while (true)
            {
                (byte came, _, _, byte[] payload) = await ReadAsync();
                if (came == type)
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
            while (await _stream.ReadAsync(buffer, _stop) > 0)
            {
            }
        }
        catch (IOException)
        {
            // A reset is an end as well.
        }
    }

    public void Dispose() => _stream.Dispose();

    /// <summary>A text without Huffman's code, its length as an integer with a prefix of 7 bits.</summary>
    private static byte[] Text(string text)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        var length = new List<byte>();
        if (bytes.Length < 127)
        {
            length.Add((byte)bytes.Length);
        }
        else
        {
            length.Add(127);
            int rest = bytes.Length - 127;
            for (; rest >= 128; rest >>= 7)
                length.Add((byte)(128 | (rest & 127)));
            length.Add((byte)rest);
        }

        return [.. length, .. bytes];
    }
}
