using System.Security.Cryptography;
using Google.Rpc;
using Grpc.Core;
using GrpcPool.Server.Access;
using GrpcPool.Server.Hosting;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.Tokens;

namespace GrpcPool.Server.Tests.Access;

public sealed class JwtTests
{
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    private DateTimeOffset Now => _time.GetUtcNow();

    [Fact(Timeout = 30_000)]
    public async Task Who_bears_a_token_may_do_what_its_claims_say()
    {
        await using Issuer issuer = await Issuer.StartAsync();
        await using TestServer server = await StartAsync(issuer);
        string token = issuer.Sign(Now, static token =>
        {
            token.Claims["grpcpool_namespace"] = "shop";
            token.Claims["grpcpool_kinds"] = "echo sleep";
        });
        TaskInfo task = (await server.ClientAs(token).SubmitAsync(new SubmitRequest { Task = new TaskSpec { Id = "a", Kind = "echo" } }, TestServer.Call)).Task;
        Assert.Equal(("shop", "alice"), (task.Namespace, task.SubmittedBy));
        await Refused.WithAsync(StatusCode.PermissionDenied, server.ClientAs(token).SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "fail" } }, TestServer.Call));
        await Refused.WithAsync(StatusCode.PermissionDenied, server.ClientAs(token).DeleteAsync(new DeleteRequest { Id = "a" }, TestServer.Call));
        await Refused.WithAsync(StatusCode.NotFound, server.ClientAs(issuer.Sign(Now)).GetStatusAsync(new GetStatusRequest { Id = "a" }, TestServer.Call));
    }

    [Theory(Timeout = 30_000)]
    [InlineData("expired", "it has expired")]
    [InlineData("early", "it is not valid yet")]
    [InlineData("endless", "it never expires")]
    [InlineData("issuer", "its issuer is another")]
    [InlineData("audience", "it is for another audience")]
    [InlineData("none", "its algorithm is none of Access:Jwt:Algorithms")]
    [InlineData("secret", "its algorithm is none of Access:Jwt:Algorithms")]
    [InlineData("key", "its signature is of none of the issuer's keys")]
    [InlineData("unknown key", "the issuer has no such key")]
    [InlineData("changed", "its signature is of none of the issuer's keys")]
    [InlineData("nameless", "its claim sub is no name")]
    [InlineData("steering name", "its claim sub is no name")]
    [InlineData("namespace", "its claim grpcpool_namespace has no names of ours")]
    [InlineData("confined to nothing", "its claim grpcpool_queues has no names of ours")]
    [InlineData("rubbish", "it cannot be read")]
    public async Task What_is_wrong_with_a_token_is_told_to_the_log_alone(string what, string reason)
    {
        await using Issuer issuer = await Issuer.StartAsync();
        await using TestServer server = await StartAsync(issuer);
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string right = issuer.Sign(Now);
        string token = what switch
        {
            "expired" => issuer.Sign(Now.AddMinutes(-10)),
            "early" => issuer.Sign(Now.AddMinutes(3)),
            "endless" => issuer.Sign(Now, static token => token.Expires = null),
            "issuer" => issuer.Sign(Now, static token => token.Issuer = "https://other.test"),
            "audience" => issuer.Sign(Now, static token => token.Audience = "other"),
            "none" => Issuer.Unsigned(right),
            "secret" => issuer.SignedByPublicKey(right),
            "key" => issuer.Sign(Now, key: other),
            "unknown key" => issuer.Sign(Now, key: other, keyId: "k9"),
            "changed" => $"{right.Split('.')[0]}.{issuer.Sign(Now, static token => token.Claims["grpcpool_roles"] = "admin").Split('.')[1]}.{right.Split('.')[2]}",
            "nameless" => issuer.Sign(Now, static token => token.Claims.Remove("sub")),
            "steering name" => issuer.Sign(Now, static token => token.Claims["sub"] = "a\nAudit: root"),
            "namespace" => issuer.Sign(Now, static token => token.Claims["grpcpool_namespace"] = "Shop"),
            "confined to nothing" => issuer.Sign(Now, static token => token.Claims["grpcpool_queues"] = Array.Empty<string>()),
            _ => "a.b.c",
        };
        Assert.Equal(StatusCode.OK, await CountAsync(server, right));
        RpcException refusal = await Refused.WithAsync(StatusCode.Unauthenticated, server.ClientAs(token).CountAsync(new CountRequest(), TestServer.Call));
        Assert.Equal("TOKEN_REFUSED", refusal.Detail<ErrorInfo>().Reason);
        Assert.DoesNotContain(reason, refusal.Status.Detail, StringComparison.Ordinal);
        await server.Log.WhenAsync(entry => entry.Message.Contains(reason, StringComparison.Ordinal));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_new_key_is_fetched_when_a_token_names_it_and_one_that_was_taken_back_holds_no_longer_than_the_keys_are_kept()
    {
        await using Issuer issuer = await Issuer.StartAsync();
        await using TestServer server = await StartAsync(issuer);
        string old = issuer.Sign(Now, Lasting);
        Assert.Equal((StatusCode.OK, 1), (await CountAsync(server, old), issuer.Fetches));
        issuer.Rotate("k2");
        string young = issuer.Sign(Now, Lasting);
        _time.Advance(JwtKeys.Pause);
        Assert.Equal((StatusCode.OK, 2), (await CountAsync(server, young), issuer.Fetches));
        Assert.Equal(StatusCode.Unauthenticated, await CountAsync(server, old));

        // Whoever names keys that nobody knows does not make the server ask for each.
        for (int i = 0; i < 20; i++)
            Assert.Equal(StatusCode.Unauthenticated, await CountAsync(server, issuer.Sign(Now, keyId: $"x{i}")));
        Assert.InRange(issuer.Fetches, 2, 3);

        // One that is not asked for goes with the age of the keys.
        issuer.Rotate("k3");
        _time.Advance(JwtKeys.Age);
        Assert.Equal(StatusCode.Unauthenticated, await CountAsync(server, young));
    }

    [Fact(Timeout = 30_000)]
    public async Task While_the_issuer_is_away_its_keys_hold()
    {
        await using Issuer issuer = await Issuer.StartAsync();
        await using TestServer server = await StartAsync(issuer);
        string token = issuer.Sign(Now, Lasting);
        issuer.IsUp = false;
        Assert.Equal(StatusCode.Unauthenticated, await CountAsync(server, token));
        issuer.IsUp = true;
        _time.Advance(JwtKeys.Pause);
        Assert.Equal(StatusCode.OK, await CountAsync(server, token));
        issuer.IsUp = false;
        _time.Advance(JwtKeys.Age);
        Assert.Equal(StatusCode.OK, await CountAsync(server, token));
        await server.Log.WhenAsync(entry => entry.Message.StartsWith($"{issuer.KeysUrl} cannot be used", StringComparison.Ordinal));
    }

    [Fact(Timeout = 30_000)]
    public async Task Keys_are_rotated_by_their_file_without_a_restart()
    {
        string file = Path.GetTempFileName();
        await using Issuer issuer = await Issuer.StartAsync();
        await File.WriteAllTextAsync(file, issuer.Keys, TestContext.Current.CancellationToken);
        await using TestServer server = await StartAsync(issuer, file);
        string old = issuer.Sign(Now, Lasting);
        Assert.Equal(StatusCode.OK, await CountAsync(server, old));
        issuer.Rotate("k2");
        string young = issuer.Sign(Now, Lasting);
        Assert.Equal(StatusCode.Unauthenticated, await CountAsync(server, young));
        await File.WriteAllTextAsync(file, issuer.Keys, TestContext.Current.CancellationToken);
        _time.Advance(FileWatch.Interval);
        await server.Log.WhenAsync(static entry => entry.Message.Contains("has changed", StringComparison.Ordinal));
        Assert.Equal((StatusCode.OK, StatusCode.Unauthenticated), (await CountAsync(server, young), await CountAsync(server, old)));
        File.Delete(file);
    }

    private static void Lasting(SecurityTokenDescriptor token) => token.Expires = token.Expires?.AddHours(1);

    private static Task<StatusCode> CountAsync(TestServer server, string token) =>
        Tokens.AnswerOfAsync(server.As(token), server.Rpcs.Single(static rpc => rpc.FullName == "/grpcpool.v1.TaskPoolService/Count"));

    private Task<TestServer> StartAsync(Issuer issuer, string? file = null) => TestServer.StartAsync(time: _time, access: access =>
        (access.Jwt.Issuer, access.Jwt.Audience, access.Jwt.KeysUrl, access.Jwt.KeysFile) = (Issuer.Name, Issuer.Audience, file is null ? issuer.KeysUrl : null, file));
}
