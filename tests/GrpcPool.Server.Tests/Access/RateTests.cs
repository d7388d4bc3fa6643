using Google.Rpc;
using Grpc.Core;
using GrpcPool.Server.Access;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Server.Tests.Access;

public sealed class RateTests
{
    [Fact(Timeout = 20_000)]
    public async Task Who_calls_more_often_than_its_rate_is_told_when_to_come_again_and_others_go_on()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using TestServer server = await TestServer.StartAsync(time: time, access: static access =>
        {
            access.Add("web", Role.Read);
            access.Add("other", Role.Read);
            (access.Tokens["web"].Rate.Tokens, access.Tokens["web"].Rate.Per) = (2, TimeSpan.FromSeconds(10));
        });
        await CountAsync(server, "web");

        // Denied calls count as well, and so does each connection.
        await Refused.WithAsync(StatusCode.PermissionDenied, server.ClientAs("web").SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "echo" } }, TestServer.Call));
        RpcException refusal = await Refused.WithAsync(StatusCode.ResourceExhausted, server.ClientAs("web").CountAsync(new CountRequest(), TestServer.Call));
        Assert.Equal("RATE_EXCEEDED", refusal.Detail<ErrorInfo>().Reason);
        Assert.Equal(TimeSpan.FromSeconds(5), refusal.Detail<RetryInfo>().RetryDelay.ToTimeSpan());
        await CountAsync(server, "other");
        time.Advance(TimeSpan.FromSeconds(5));
        await CountAsync(server, "web");
        await Refused.WithAsync(StatusCode.ResourceExhausted, server.ClientAs("web").CountAsync(new CountRequest(), TestServer.Call));
    }

    private static async Task CountAsync(TestServer server, string token) => await server.ClientAs(token).CountAsync(new CountRequest(), TestServer.Call);
}
