using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace GrpcPool.Server.Tests.Access;

/// <summary>An issuer of JSON Web Tokens with an endpoint for its keys.</summary>
internal sealed class Issuer : IAsyncDisposable
{
    public const string Name = "https://issuer.test", Audience = "grpcpool";

    private readonly WebApplication _app;
    private readonly Dictionary<string, ECDsa> _keys = [];
    private int _fetches;

    private Issuer(WebApplication app) => _app = app;

    public string KeysUrl => $"{_app.Urls.Single()}/keys";

    public int Fetches => Volatile.Read(ref _fetches);

    /// <summary>The public keys, as they are offered.</summary>
    public string Keys => $$"""{"keys":[{{string.Join(',', _keys.Select(static key => PublicOf(key.Key, key.Value)))}}]}""";

    /// <summary>Whether the endpoint answers.</summary>
    public bool IsUp { get; set; } = true;

    public static async Task<Issuer> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        WebApplication app = builder.Build();
        var issuer = new Issuer(app);
        app.MapGet("/keys", issuer.AnswerAsync);
        issuer.Rotate("k1");
        await app.StartAsync(TestContext.Current.CancellationToken);
        return issuer;
    }

    /// <summary>From now on there is this key alone.</summary>
    public void Rotate(string id)
    {
        foreach (ECDsa key in _keys.Values)
            key.Dispose();
        _keys.Clear();
        _keys.Add(id, ECDsa.Create(ECCurve.NamedCurves.nistP256));
    }

    /// <summary>A token of the current key, as right as can be but for what is changed.</summary>
    public string Sign(DateTimeOffset now, Action<SecurityTokenDescriptor>? change = null, ECDsa? key = null, string? keyId = null)
    {
        (string id, ECDsa own) = _keys.Single();
        var token = new SecurityTokenDescriptor
        {
            Issuer = Name,
            Audience = Audience,
            NotBefore = now.UtcDateTime.AddMinutes(-1),
            IssuedAt = now.UtcDateTime.AddMinutes(-1),
            Expires = now.UtcDateTime.AddMinutes(5),
            Claims = new Dictionary<string, object> { ["sub"] = "alice", ["grpcpool_roles"] = new[] { "submit", "read", "billing" } },
            SigningCredentials = new SigningCredentials(new ECDsaSecurityKey(key ?? own) { KeyId = keyId ?? id }, SecurityAlgorithms.EcdsaSha256),
        };
        change?.Invoke(token);
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(token);
    }

    /// <summary>The same claims without a signature.</summary>
    public static string Unsigned(string token) => $"{Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT"}""")}.{token.Split('.')[1]}.";

    /// <summary>Signed with the public key as if it were a secret.</summary>
    public string SignedByPublicKey(string token)
    {
        string signed = $"{Base64UrlEncoder.Encode("""{"alg":"HS256","typ":"JWT","kid":"k1"}""")}.{token.Split('.')[1]}";
        return $"{signed}.{Base64UrlEncoder.Encode(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Keys), Encoding.UTF8.GetBytes(signed)))}";
    }

    /// <summary>A key as a JWK Set has it.</summary>
    public static string PublicOf(string id, ECDsa key)
    {
        ECParameters parameters = key.ExportParameters(includePrivateParameters: false);
        return $$"""{"kty":"EC","crv":"P-256","use":"sig","kid":"{{id}}","x":"{{Base64UrlEncoder.Encode(parameters.Q.X)}}","y":"{{Base64UrlEncoder.Encode(parameters.Q.Y)}}"}""";
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ECDsa key in _keys.Values)
            key.Dispose();
        await _app.DisposeAsync();
    }

    private Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref _fetches);
        context.Response.StatusCode = IsUp ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return context.Response.WriteAsync(Keys);
    }
}
