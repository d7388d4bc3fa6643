using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace GrpcPool.Core.Tests.Handlers.Http;

/// <summary>A web application whose every byte is the test's: it may keep the rules of HTTP, or not.</summary>
internal sealed class RawEndpoint : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentQueue<RawRequest> _requests = new();
    private readonly Func<RawExchange, Task> _answer;
    private readonly Task _accepting;
    private int _connections;

    public RawEndpoint(Func<RawExchange, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>One that sends the same bytes whenever asked.</summary>
    public RawEndpoint(string response)
        : this(exchange => exchange.SendAsync(response))
    {
    }

    public string Address => $"http://{_listener.LocalEndpoint}";

    public IReadOnlyCollection<RawRequest> Requests => _requests;

    public int Connections => Volatile.Read(ref _connections);

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_ending.Token);
                Interlocked.Increment(ref _connections);
                connections.Add(ServeAsync(client));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                while (await ReadAsync(stream) is { } request)
                {
                    _requests.Enqueue(request);
                    await _answer(new RawExchange(request, client, _ending.Token));
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
            {
                // The other side, the script or the test has ended the connection.
            }
        }
    }

    private async Task<RawRequest?> ReadAsync(NetworkStream stream)
    {
        var head = new List<byte>();
        byte[] one = new byte[1];
        while (!head.TakeLast(4).SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            if (await stream.ReadAsync(one, _ending.Token) == 0)
                return null;
            head.Add(one[0]);
        }

        var request = new RawRequest(Encoding.Latin1.GetString([.. head]));
        request.Body = new byte[int.Parse(request["Content-Length"] ?? "0", System.Globalization.CultureInfo.InvariantCulture)];
        await stream.ReadExactlyAsync(request.Body, _ending.Token);
        return request;
    }
}

/// <summary>A request as it came over the wire.</summary>
internal sealed class RawRequest(string head)
{
    private readonly string[] _lines = head.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);

    public string RequestLine => _lines[0];

    public byte[] Body { get; set; } = [];

    public IEnumerable<string> Names => _lines.Skip(1).Select(line => line[..line.IndexOf(':', StringComparison.Ordinal)]);

    /// <summary>The only value of a header; null where there is none.</summary>
    public string? this[string name] =>
        _lines.Skip(1).SingleOrDefault(line => line.StartsWith($"{name}:", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();
}

/// <summary>A request with the connection it came on.</summary>
internal sealed class RawExchange(RawRequest request, TcpClient client, CancellationToken ending)
{
    public RawRequest Request => request;

    public async Task SendAsync(string text) => await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text), ending);

    /// <summary>Ends when the other side has closed the connection.</summary>
    public async Task ClosedAsync()
    {
        try
        {
            Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], ending));
        }
        catch (IOException)
        {
            // Closed by a reset.
        }
    }

    /// <summary>Closes the connection, as if the application had crashed when <paramref name="reset"/>.</summary>
    public Task CloseAsync(bool reset = false)
    {
        if (reset)
            client.LingerState = new LingerOption(true, 0);
        client.Close();
        return Task.CompletedTask;
    }
}
