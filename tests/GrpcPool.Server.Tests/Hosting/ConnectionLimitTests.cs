using GrpcPool.Server.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Server.Tests.Hosting;

/// <summary>One connection may be open.</summary>
public sealed class ConnectionLimitTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly CancellationTokenSource _gone = new();
    private readonly TaskCompletionSource _served = new();
    private readonly ConnectionDelegate _serve;

    public ConnectionLimitTests() => _serve = new ConnectionLimit(1, _time, NullLogger.Instance, _closed.Token).Wrap(_ => _served.Task);

    public void Dispose()
    {
        _closed.Dispose();
        _gone.Dispose();
    }

    [Fact(Timeout = 20_000)]
    public async Task One_more_is_refused_until_the_other_has_ended()
    {
        Task first = ConnectAsync();
        Assert.True(await IsRefusedAsync());
        _served.SetResult();
        await first;
        Assert.False(await IsRefusedAsync());
    }

    /// <summary>Its place is given to others, though what serves it never ends.</summary>
    [Fact(Timeout = 20_000)]
    public async Task Calls_that_go_on_without_their_connection_keep_its_place_for_five_seconds()
    {
        Task first = ConnectAsync();
        await _gone.CancelAsync();
        _time.Advance(ConnectionLimit.Linger - TimeSpan.FromMilliseconds(1));
        Assert.False(first.IsCompleted);
        Assert.True(await IsRefusedAsync());
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await first;
        Assert.False(await IsRefusedAsync());
    }

    [Fact(Timeout = 20_000)]
    public async Task A_connection_that_is_there_keeps_its_place()
    {
        Task first = ConnectAsync();
        _time.Advance(TimeSpan.FromDays(1));
        Assert.False(first.IsCompleted);
        Assert.True(await IsRefusedAsync());
    }

    [Fact(Timeout = 20_000)]
    public async Task A_fault_of_what_serves_it_is_not_hidden()
    {
        Task first = ConnectAsync();
        _served.SetException(new InvalidOperationException("a fault"));
        Assert.Equal("a fault", (await Assert.ThrowsAsync<InvalidOperationException>(() => first)).Message);
    }

    private Task ConnectAsync() => _serve(new DefaultConnectionContext { ConnectionClosed = _gone.Token });

    private async Task<bool> IsRefusedAsync()
    {
        var connection = new Refusable();
        Task served = _serve(connection);
        if (!connection.IsAborted)
            _served.TrySetResult();
        await served;
        return connection.IsAborted;
    }

    private sealed class Refusable : DefaultConnectionContext
    {
        public bool IsAborted { get; private set; }

        public override void Abort(ConnectionAbortedException abortReason) => IsAborted = true;
    }
}
