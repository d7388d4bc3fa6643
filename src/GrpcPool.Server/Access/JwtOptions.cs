namespace GrpcPool.Server.Access;

/// <summary>An issuer of JSON Web Tokens (RFC 7519), and which of a token's claims say what its bearer may do.</summary>
public sealed class JwtOptions
{
    /// <summary>What a token must have as <c>iss</c>; null (the default): none is accepted.</summary>
    public string? Issuer { get; set; }

    /// <summary>What must be in a token's <c>aud</c>.</summary>
    public string? Audience { get; set; }

    /// <summary>
    /// Where the issuer offers its public keys as a JWK Set (RFC 7517); <c>https://</c>, or <c>http://</c> on this machine. They are fetched for the first token, when a token names a key that is
    /// not known, at most every 10 s, and else every 5 minutes.
    /// </summary>
    public string? KeysUrl { get; set; }

    /// <summary>The absolute path of a file with the JWK Set, in the place of <see cref="KeysUrl"/>. It is read again when it changes.</summary>
    public string? KeysFile { get; set; }

    /// <summary>The algorithms that a token may be signed by, of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and ES512; empty (the default): RS256, PS256 and ES256.</summary>
    public List<string> Algorithms { get; } = [];

    /// <summary>How far the issuer's clock may be off, 0–5 minutes. 30 s by default.</summary>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The claim that names the bearer, for <c>submitted_by</c> and the log. <c>sub</c> by default.</summary>
    public string NameClaim { get; set; } = "sub";

    /// <summary>The claim with the roles, a list or a text with spaces between; what is no role of ours in it is left out. <c>grpcpool_roles</c> by default.</summary>
    public string RolesClaim { get; set; } = "grpcpool_roles";

    /// <summary>The claim with the namespace; a token without it belongs to <c>default</c>. <c>grpcpool_namespace</c> by default.</summary>
    public string NamespaceClaim { get; set; } = "grpcpool_namespace";

    /// <summary>The claim with the queues that the bearer is confined to, as that of the roles; a token without it is for all. <c>grpcpool_queues</c> by default.</summary>
    public string QueuesClaim { get; set; } = "grpcpool_queues";

    /// <summary>The same for kinds. <c>grpcpool_kinds</c> by default.</summary>
    public string KindsClaim { get; set; } = "grpcpool_kinds";
}
