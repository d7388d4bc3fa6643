using Grpc.Core;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Client.Tests;

public sealed class PatienceTests
{
    private static readonly RpcException Away = new(new Status(StatusCode.Unavailable, "away"));

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Pauses_double_up_to_the_longest_with_up_to_half_more_by_chance()
    {
        var patience = new Patience(Timeout.InfiniteTimeSpan, _time);
        foreach (double expected in (double[])[0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5])
        {
            Assert.True(patience.Allows(Away, out TimeSpan pause));
            Assert.InRange(pause.TotalSeconds, expected, expected * 1.5);
        }
    }

    [Fact]
    public void The_server_says_how_long_the_pause_is_at_least()
    {
        var patience = new Patience(Timeout.InfiniteTimeSpan, _time);
        Assert.True(patience.Allows(SubmitTests.Full(TimeSpan.FromSeconds(20)), out TimeSpan pause));
        Assert.InRange(pause.TotalSeconds, 20, 30);
    }

    [Fact]
    public void Patience_ends_with_its_limit_and_is_new_for_new_trouble()
    {
        var patience = new Patience(TimeSpan.FromMinutes(1), _time);
        Assert.True(patience.Allows(Away, out _));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(patience.Allows(Away, out _));
        patience.Renew();
        Assert.True(patience.Allows(Away, out TimeSpan pause));
        Assert.InRange(pause.TotalSeconds, 0.1, 0.15);
    }

    /// <summary>gRPC calls it INTERNAL, and all that it knows is that there was no answer.</summary>
    [Theory]
    [InlineData(HttpRequestError.Unknown, true)]
    [InlineData(HttpRequestError.ConnectionError, true)]
    [InlineData(HttpRequestError.InvalidResponse, true)]
    [InlineData(HttpRequestError.VersionNegotiationError, false)]
    [InlineData(HttpRequestError.SecureConnectionError, false)]
    public void A_connection_that_is_cut_amid_its_handshake_is_trouble_that_passes(HttpRequestError error, bool passes)
    {
        var cut = new RpcException(new Status(StatusCode.Internal, "Error starting gRPC call", new HttpRequestException(error, "the server did not complete the HTTP/2 handshake")));
        Assert.Equal(passes, new Patience(TimeSpan.FromMinutes(1), _time).Allows(cut, out _));
    }

    [Fact]
    public void No_patience_allows_nothing() => Assert.False(new Patience(TimeSpan.Zero, _time).Allows(Away, out _));
}
