namespace GrpcPool.Server.Access;

/// <summary>Who may use the server. Where nobody is named, whoever reaches the API may use all of it.</summary>
public sealed class AccessOptions
{
    /// <summary>The tokens by name; none by default.</summary>
    public Dictionary<string, TokenOptions> Tokens { get; } = new(StringComparer.Ordinal);

    /// <summary>The users and groups of this machine, by a name of their own, who need no token on the Unix socket; none by default.</summary>
    public Dictionary<string, PeerOptions> Peers { get; } = new(StringComparer.Ordinal);

    /// <summary>The issuer whose JSON Web Tokens are accepted; none by default.</summary>
    public JwtOptions Jwt { get; } = new();

    /// <summary>Whether nobody is named.</summary>
    internal bool IsOpen => Tokens.Count == 0 && Peers.Count == 0 && Jwt.Issuer is null;
}
