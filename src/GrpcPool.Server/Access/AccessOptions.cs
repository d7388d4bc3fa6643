namespace GrpcPool.Server.Access;

/// <summary>Who may use the server.</summary>
public sealed class AccessOptions
{
    /// <summary>The tokens by name. None (the default): whoever reaches the API may use all of it.</summary>
    public Dictionary<string, TokenOptions> Tokens { get; } = new(StringComparer.Ordinal);
}

/// <summary>What a token is known by, and what whoever bears it may do.</summary>
public sealed class TokenOptions
{
    /// <summary>The SHA-256 of the token in UTF-8, 64 hexadecimal digits; null (the default) where there is a <see cref="HashFile"/>.</summary>
    public string? Hash { get; set; }

    /// <summary>The absolute path of a file with such hashes, one a line, each of which is valid. It is read again when it changes.</summary>
    public string? HashFile { get; set; }

    /// <summary>What it may do, at least one of <c>submit</c>, <c>read</c>, <c>work</c>, <c>operate</c> and <c>admin</c>, which contains the others.</summary>
    public List<string> Roles { get; } = [];

    /// <summary>The namespace that it belongs to, <c>default</c> by default.</summary>
    public string Namespace { get; set; } = "default";

    /// <summary>The queues that it is confined to; empty (the default) for all.</summary>
    public List<string> Queues { get; } = [];

    /// <summary>The kinds that it is confined to; empty (the default) for all.</summary>
    public List<string> Kinds { get; } = [];
}
