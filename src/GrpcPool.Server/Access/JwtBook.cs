using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace GrpcPool.Server.Access;

/// <summary>Reads JSON Web Tokens: each is checked anew, in the order in which a check costs more. Thread-safe.</summary>
internal sealed class JwtBook(AccessOptions access, JwtKeys keys, TimeProvider time)
{
    public static readonly string[] KnownAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    public static readonly string[] DefaultAlgorithms = ["RS256", "PS256", "ES256"];

    /// <summary>A name goes into the log and into what tasks tell of who submitted them.</summary>
    private const int NameCharactersMax = 128;

    private readonly JwtOptions _options = access.Jwt;
    private readonly string[] _algorithms = access.Jwt.Algorithms.Count > 0 ? [.. access.Jwt.Algorithms] : DefaultAlgorithms;
    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false };

    /// <summary>Whether a token is to be read here.</summary>
    public bool Reads(string token) => _options.Issuer is not null && token.Count('.') == 2;

    /// <summary>What a token allows, or why it allows nothing.</summary>
    public async ValueTask<(Grant? Grant, string? Reason)> FindAsync(string token)
    {
        JsonWebToken read;
        try
        {
            read = _handler.ReadJsonWebToken(token);
        }
        catch (Exception fault) when (fault is ArgumentException or SecurityTokenException)
        {
            return (null, "it cannot be read");
        }

        if (!_algorithms.Contains(read.Alg))
            return (null, "its algorithm is none of Access:Jwt:Algorithms");
        SecurityKey[] known = await keys.FindAsync(read.Kid).ConfigureAwait(false);
        if (known.Length == 0)
            return (null, "the issuer has no such key");
        TokenValidationResult result = await _handler.ValidateTokenAsync(read, Rules(known)).ConfigureAwait(false);
        if (!result.IsValid)
            return (null, ReasonOf(result.Exception));
        return ReasonOfTimes(read) is { } late ? (null, late) : ReadGrant(read);
    }

    private TokenValidationParameters Rules(SecurityKey[] known) => new()
    {
        ValidIssuer = _options.Issuer,
        ValidAudience = _options.Audience,
        ValidAlgorithms = _algorithms,
        IssuerSigningKeys = known,
        ValidateLifetime = false, // By our own clock, after the signature.
    };

    private static string ReasonOf(Exception? fault) => fault switch
    {
        SecurityTokenInvalidIssuerException => "its issuer is another",
        SecurityTokenInvalidAudienceException => "it is for another audience",
        SecurityTokenSignatureKeyNotFoundException or SecurityTokenInvalidSignatureException => "its signature is of none of the issuer's keys",
        _ => $"it is not valid ({fault?.GetType().Name})",
    };

    private string? ReasonOfTimes(JsonWebToken token)
    {
        DateTime now = time.GetUtcNow().UtcDateTime;
        if (token.ValidTo == DateTime.MinValue)
            return "it never expires";
        if (token.ValidTo <= now - _options.ClockSkew)
            return "it has expired";
        return token.ValidFrom > now + _options.ClockSkew ? "it is not valid yet" : null;
    }

    private (Grant? Grant, string? Reason) ReadGrant(JsonWebToken token)
    {
        string[] names = ValuesOf(token, _options.NameClaim, out _);
        if (names is not [{ Length: <= NameCharactersMax } name] || name.AsSpan().ContainsAnyExceptInRange('!', '~'))
            return (null, $"its claim {_options.NameClaim} is no name of 1 to {NameCharactersMax} printable characters");
        string[] spaces = ValuesOf(token, _options.NamespaceClaim, out bool hasSpace), queues = ValuesOf(token, _options.QueuesClaim, out bool hasQueues), kinds = ValuesOf(token, _options.KindsClaim, out bool hasKinds);
        foreach ((string claim, bool has, string[] values) in (ReadOnlySpan<(string, bool, string[])>)
            [(_options.NamespaceClaim, hasSpace, spaces), (_options.QueuesClaim, hasQueues, queues), (_options.KindsClaim, hasKinds, kinds)])
        {
            // Who is confined to nothing that there is may not be taken for one who is not confined.
            if (has && (values.Length == 0 || !Array.TrueForAll(values, PoolName.IsValid)))
                return (null, $"its claim {claim} has no names of ours");
        }

        if (spaces.Length > 1)
            return (null, $"its claim {_options.NamespaceClaim} names more than one");
        Role roles = RoleNames.Read(ValuesOf(token, _options.RolesClaim, out _).Where(RoleNames.IsKnown));
        return (new Grant(name, roles, hasSpace ? spaces[0] : GrpcPoolOptions.DefaultNamespace, hasQueues || hasKinds ? TaskScope.Of(queues, kinds) : null), null);
    }

    /// <summary>The values of a claim, which is a list or a text with spaces between.</summary>
    private static string[] ValuesOf(JsonWebToken token, string claim, out bool isThere)
    {
        isThere = token.TryGetPayloadValue(claim, out object? _);
        return [.. token.Claims.Where(known => known.Type == claim).SelectMany(static known => known.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
    }
}
