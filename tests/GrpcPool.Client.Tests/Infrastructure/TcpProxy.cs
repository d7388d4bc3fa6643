using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace GrpcPool.Client.Tests.Infrastructure;

/// <summary>A way to a server that the test can cut, freeze and close. Behind it the server may be replaced, as one that restarts on its port.</summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, bool> _sockets = new();
    private readonly ConcurrentBag<Task> _pumps = [];
    private readonly Channel<bool> _opened = Channel.CreateUnbounded<bool>();
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _accepting;
    private volatile TaskCompletionSource _requests = Open();
    private volatile TaskCompletionSource _answers = Open();
    private volatile Uri? _target;

    public TcpProxy(Uri? target)
    {
        _target = target;
        _listener.Start();
        Address = new Uri($"http://{_listener.LocalEndpoint}");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>Leads new connections to a server; null: closes them at once. Cuts those that are.</summary>
    public void Lead(Uri? target)
    {
        _target = target;
        Cut();
    }

    /// <summary>Resets all connections.</summary>
    public void Cut()
    {
        foreach (Socket socket in _sockets.Keys)
            Close(socket);
    }

    /// <summary>From now on nothing goes through, and nobody is told.</summary>
    public void Freeze()
    {
        _requests = Closed();
        HoldAnswers();
    }

    /// <summary>From now on the server hears everything, and the client nothing.</summary>
    public void HoldAnswers() => _answers = Closed();

    /// <summary>New connections work again; those that were frozen are forgotten without a word.</summary>
    public void Thaw() => (_requests, _answers) = (Open(), Open());

    /// <summary>Waits for the next connection, or attempt at one.</summary>
    public async Task NextConnectionAsync() => await _opened.Reader.ReadAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Dispose();
        await _accepting;
        Cut();
        await Task.WhenAll(_pumps);
        _ending.Dispose();
    }

    private static TaskCompletionSource Open()
    {
        var open = new TaskCompletionSource();
        open.SetResult();
        return open;
    }

    private static TaskCompletionSource Closed() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task AcceptAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                Socket client = await _listener.AcceptSocketAsync(_ending.Token);
                _sockets[client] = true;
                _pumps.Add(ServeAsync(client, _target));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket client, Uri? target)
    {
        var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        _sockets[server] = true;
        try
        {
            _opened.Writer.TryWrite(true);
            if (target is null)
                return;
            await server.ConnectAsync(target.Host, target.Port, _ending.Token);
            await Task.WhenAny(PumpAsync(client, server, () => _requests), PumpAsync(server, client, () => _answers));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The server is not there.
        }
        finally
        {
            Close(client);
            Close(server);
        }
    }

    private async Task PumpAsync(Socket from, Socket to, Func<TaskCompletionSource> flow)
    {
        try
        {
            byte[] buffer = new byte[32 * 1024];
            while (await from.ReceiveAsync(buffer, _ending.Token) is > 0 and int count)
            {
                await flow().Task.WaitAsync(_ending.Token);
                await to.SendAsync(buffer.AsMemory(0, count), _ending.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Cut.
        }
    }

    private void Close(Socket socket)
    {
        if (!_sockets.TryRemove(socket, out _))
            return;
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }

        socket.Dispose();
    }
}
