using Grpc.Core;
using GrpcPool.Server.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Server.Tests.Hosting;

/// <summary>What a connection has to wait for.</summary>
public sealed class ConnectionPaceTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Pace _all;
    private readonly ConnectionPace _pace;

    public ConnectionPaceTests()
    {
        _all = ConnectionPace.OfAll(_time);
        _pace = new ConnectionPace(_time, _all);
    }

    [Theory]
    [InlineData(StatusCode.Cancelled)]
    [InlineData(StatusCode.InvalidArgument)]
    [InlineData(StatusCode.Unauthenticated)]
    [InlineData(StatusCode.ResourceExhausted)]
    public void Calls_that_are_of_no_use_are_so_many_at_once(StatusCode outcome)
    {
        Note(200, outcome);
        Assert.InRange(_pace.Wait.TotalMilliseconds, 0, 1);
        Note(200, outcome);
        Assert.InRange(_pace.Wait.TotalSeconds, 0.49, 0.51);
        Assert.False(_pace.IsOfUse);
    }

    [Theory]
    [InlineData(StatusCode.OK)]
    [InlineData(StatusCode.NotFound)]
    [InlineData(StatusCode.DeadlineExceeded)]
    public void Others_are_as_many_as_there_are(StatusCode outcome)
    {
        Note(100_000, outcome);
        Assert.Equal(TimeSpan.Zero, _pace.Wait);
        Assert.True(_pace.IsOfUse);
    }

    [Fact]
    public void What_the_pool_refuses_for_its_own_state_costs_nothing()
    {
        Note(100_000, StatusCode.ResourceExhausted, ("grpc-status-details-bin", "AA=="));
        Assert.Equal(TimeSpan.Zero, _pace.Wait);
    }

    [Fact]
    public void A_message_that_had_to_be_unpacked_to_be_refused_costs_as_much_as_hundreds()
    {
        var call = new DefaultHttpContext { Request = { Headers = { ["grpc-encoding"] = "gzip" } } };
        call.Response.Headers["grpc-status"] = "8";
        _pace.Note(call);
        _pace.Note(call);
        Assert.InRange(_pace.Wait.TotalSeconds, 0.49, 0.51);
    }

    [Fact]
    public void It_waits_a_second_at_most_at_a_time()
    {
        Note(100_000, StatusCode.Cancelled);
        Assert.Equal(TimeSpan.FromSeconds(1), _pace.Wait);
    }

    [Fact]
    public void Only_who_owes_much_waits_for_what_all_have_done_together()
    {
        _all.Charge(50_000);
        Note(1, StatusCode.Cancelled);
        Assert.Equal(TimeSpan.Zero, _pace.Wait);
        Note(120, StatusCode.Cancelled);
        Assert.Equal(TimeSpan.FromSeconds(1), _pace.Wait);
    }

    private void Note(int calls, StatusCode outcome, params (string Name, string Value)[] headers)
    {
        var call = new DefaultHttpContext();
        call.Response.Headers["grpc-status"] = $"{(int)outcome}";
        foreach ((string name, string value) in headers)
            call.Response.Headers[name] = value;
        for (int i = 0; i < calls; i++)
            _pace.Note(call);
    }
}
