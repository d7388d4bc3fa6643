using GrpcPool.Core.Hosting;

namespace GrpcPool.Server.Access;

/// <summary>What somebody may do.</summary>
public class GrantOptions
{
    /// <summary>What it may do, at least one of <c>submit</c>, <c>read</c>, <c>work</c>, <c>operate</c> and <c>admin</c>, which contains the others.</summary>
    public List<string> Roles { get; } = [];

    /// <summary>The namespace that it belongs to, <c>default</c> by default.</summary>
    public string Namespace { get; set; } = GrpcPoolOptions.DefaultNamespace;

    /// <summary>The queues that it is confined to; empty (the default) for all.</summary>
    public List<string> Queues { get; } = [];

    /// <summary>The kinds that it is confined to; empty (the default) for all.</summary>
    public List<string> Kinds { get; } = [];

    /// <summary>How often it may call, whoever bears it and however many connections they have. No limit by default.</summary>
    public RateOptions Rate { get; } = new();
}

/// <summary>What a token is known by, and what whoever bears it may do.</summary>
public sealed class TokenOptions : GrantOptions
{
    /// <summary>The SHA-256 of the token in UTF-8, 64 hexadecimal digits; null (the default) where there is a <see cref="HashFile"/>.</summary>
    public string? Hash { get; set; }

    /// <summary>The absolute path of a file with such hashes, one a line, each of which is valid. It is read again when it changes.</summary>
    public string? HashFile { get; set; }
}

/// <summary>A user or group of this machine, as the kernel tells of whoever connects to the Unix socket, and what it may do there without a token.</summary>
public sealed class PeerOptions : GrantOptions
{
    /// <summary>The number of the user; null (the default) for any of the <see cref="Gid"/>.</summary>
    public int? Uid { get; set; }

    /// <summary>The number of a group of the user; null (the default) for any. Beside <see cref="Uid"/>, both must be so.</summary>
    public int? Gid { get; set; }
}
