using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using GrpcPool.Core.Handlers.Http;
using Microsoft.Extensions.Time.Testing;
using static GrpcPool.Core.Tests.Handlers.Http.HttpHandlers;

namespace GrpcPool.Core.Tests.Handlers.Http;

/// <summary>The rules are those of https://github.com/standard-webhooks/standard-webhooks, specification 1.0.0.</summary>
public sealed class WebhookSignatureTests
{
    private const string Done = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    private const string OtherSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_official_example_is_signed_as_the_official_libraries_do() => Assert.Equal(
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        new WebhookSignature(WebhookSecret.Read(Secret)).Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, Encoding.UTF8.GetBytes("""{"test": 2432232314}""")));

    [Theory(Timeout = TimeoutMs)]
    [InlineData(Secret, true)]
    [InlineData(OtherSecret, true)]
    [InlineData("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", false)]
    public async Task A_request_signed_with_two_secrets_is_verified_with_either(string secret, bool verifies)
    {
        RawRequest request = await SentAsync(OtherSecret, "task-1");
        Assert.Equal(2, request["webhook-signature"]!.Split(' ').Length);
        Assert.Equal(verifies, Verifies(request, secret, Now));
        request.Body[0] ^= 1;
        Assert.False(Verifies(request, secret, Now));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_request_is_signed_with_the_time_at_which_it_is_sent()
    {
        RawRequest request = await SentAsync(null, "task-1");
        Assert.Equal("1767225600", request["webhook-timestamp"]);
        Assert.True(Verifies(request, Secret, Now.AddMinutes(5)));
        Assert.False(Verifies(request, Secret, Now.AddMinutes(6)));
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("order.7", "space/order~7")]
    [InlineData("order.7.1767225600", "space/order~7~1767225600")]
    public async Task The_id_of_a_message_has_no_full_stop_that_would_let_one_signature_stand_for_two_messages(string id, string messageId)
    {
        RawRequest request = await SentAsync(null, id);
        Assert.Equal((messageId, id), (request["webhook-id"], request["Grpcpool-Task-Id"]));
        Assert.True(Verifies(request, Secret, Now));
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("whsec_", false)]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false)]
    [InlineData("whsec_not base64 not base64 not base64", false)]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==", false)]
    [InlineData(Secret, true)]
    [InlineData("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", true)]
    [InlineData("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", false)]
    public void A_secret_is_the_base64_of_24_to_64_bytes(string secret, bool valid) => Assert.Equal(valid, WebhookSecret.IsValid(secret));

    private static async Task<RawRequest> SentAsync(string? previousSecret, string id)
    {
        await using var endpoint = new RawEndpoint(Done);
        using var handlers = new HttpHandlers(endpoint.Address, new FakeTimeProvider(Now), previousSecret);
        using var context = new FakeTaskContext("""{"test": 2432232314}""") { Id = id };
        await handlers.RunAsync(context);
        return endpoint.Requests.Single();
    }

    /// <summary>What a receiver does, told once more by the specification.</summary>
    private static bool Verifies(RawRequest request, string secret, DateTimeOffset now)
    {
        var sent = DateTimeOffset.FromUnixTimeSeconds(long.Parse(request["webhook-timestamp"]!, CultureInfo.InvariantCulture));
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{request["webhook-id"]}.{request["webhook-timestamp"]}."), .. request.Body];
        byte[] expected = HMACSHA256.HashData(Convert.FromBase64String(secret["whsec_".Length..]), signed);
        return (now - sent).Duration() <= TimeSpan.FromMinutes(5) && request["webhook-signature"]!.Split(' ').Select(signature => signature.Split(','))
            .Any(parts => parts[0] == "v1" && CryptographicOperations.FixedTimeEquals(Convert.FromBase64String(parts[1]), expected));
    }
}
