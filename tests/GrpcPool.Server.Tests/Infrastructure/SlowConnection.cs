using System.Net.Sockets;
using Grpc.Net.Client;

namespace GrpcPool.Server.Tests.Infrastructure;

/// <summary>A connection of a client that reads slowly, or not at all.</summary>
internal sealed class SlowConnection : IDisposable
{
    public SlowConnection(Uri address) => Channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler { ConnectCallback = async (context, stop) => await ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, stop) },
        DisposeHttpClient = true,
        MaxReceiveMessageSize = null,
    });

    public GrpcChannel Channel { get; }

    /// <summary>How much is read of what the server sends; null: all that comes.</summary>
    public int? BytesPerSecond { get; set; }

    public void Dispose() => Channel.Dispose();

    private async Task<Stream> ConnectAsync(string host, int port, CancellationToken stop)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(host, port, stop);
        return new SlowStream(this, socket);
    }

    private sealed class SlowStream(SlowConnection connection, Socket socket) : NetworkStream(socket, ownsSocket: true)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (connection.BytesPerSecond is not { } rate)
                return await base.ReadAsync(buffer, cancellationToken);
            await Task.Delay(rate == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(1), TimeProvider.System, cancellationToken);
            return await base.ReadAsync(buffer[..Math.Min(rate, buffer.Length)], cancellationToken);
        }
    }
}
