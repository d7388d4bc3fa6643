using System.Net;
using GrpcPool.Server.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Server.Tests.Hosting;

/// <summary>How fast new connections are taken, where there are always more.</summary>
public sealed class PacedTransportTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly IConnectionListener _listener;

    public PacedTransportTests() => _listener = new PacedTransport(new Crowd(), _time).BindAsync(new IPEndPoint(IPAddress.Loopback, 0)).AsTask().GetAwaiter().GetResult();

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    [Fact(Timeout = 20_000)]
    public async Task A_thousand_are_taken_at_once_and_then_a_thousand_a_second()
    {
        for (int i = 0; i < 1_000; i++)
            await AcceptAsync();
        Task<DefaultConnectionContext> next = AcceptAsync();
        Assert.False(next.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await next;
    }

    [Fact(Timeout = 20_000)]
    public async Task Those_that_end_without_a_call_that_was_of_use_count_tenfold()
    {
        for (int i = 0; i < 100; i++)
            End(await AcceptAsync());
        Task next = AcceptAsync();
        Assert.False(next.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await next;
    }

    [Theory(Timeout = 20_000)]
    [InlineData(true, 0)]
    [InlineData(false, 2)]
    public async Task Those_that_were_of_use_or_stayed_do_not(bool succeeded, int seconds)
    {
        DefaultConnectionContext[] connections = await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => AcceptAsync()));
        _time.Advance(TimeSpan.FromSeconds(seconds));
        foreach (DefaultConnectionContext connection in connections)
        {
            if (succeeded)
                connection.Features.GetRequiredFeature<ConnectionPace>().Note(Succeeded());
            End(connection);
        }

        for (int i = 0; i < 500; i++)
            await AcceptAsync();
    }

    private async Task<DefaultConnectionContext> AcceptAsync() => (DefaultConnectionContext)(await _listener.AcceptAsync(TestContext.Current.CancellationToken))!;

    private static void End(DefaultConnectionContext connection) => connection.Features.GetRequiredFeature<CancellationTokenSource>().Cancel();

    private static DefaultHttpContext Succeeded()
    {
        var call = new DefaultHttpContext();
        call.Response.Headers["grpc-status"] = "0";
        return call;
    }

    /// <summary>There is always somebody who wants to come in.</summary>
    private sealed class Crowd : IConnectionListenerFactory, IConnectionListener
    {
        public EndPoint EndPoint { get; } = new IPEndPoint(IPAddress.Loopback, 1);

        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => new(this);

        public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            var end = new CancellationTokenSource();
            var connection = new DefaultConnectionContext { ConnectionClosed = end.Token };
            connection.Features.Set(end);
            return new(connection);
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
