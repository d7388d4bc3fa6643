using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace GrpcPool.Server.Hosting;

/// <summary>An address to listen at.</summary>
/// <param name="Host">The host as it was given, without brackets.</param>
/// <param name="Ip">The host's IP address; null for <c>localhost</c> and for all.</param>
/// <param name="Port">The port; 0 for any free one.</param>
/// <param name="IsTls">Whether it is encrypted.</param>
internal sealed record ListenAddress(string Host, IPAddress? Ip, int Port, bool IsTls = false)
{
    private const string Scheme = "http://", TlsScheme = "https://";

    /// <summary>Whether it stands for every address of the machine.</summary>
    public bool IsAll => Host is "*" or "+" || IPAddress.Any.Equals(Ip) || IPAddress.IPv6Any.Equals(Ip);

    /// <summary>Whether it stands for the loopback addresses, v4 and v6.</summary>
    public bool IsLocalhost => Host.Equals("localhost", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether only this machine reaches it.</summary>
    public bool IsLoopback => IsLocalhost || (Ip is not null && IPAddress.IsLoopback(Ip));

    /// <summary>Whether both cannot be listened at together.</summary>
    public bool Collides(ListenAddress other) => Port != 0 && Port == other.Port && (IsAll || other.IsAll || SameHost(other));

    /// <summary>Reads <c>http://host:port</c> and <c>https://host:port</c>; false when the text is anything else, a name that would need DNS included.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out ListenAddress? address)
    {
        address = null;
        bool isTls = text.StartsWith(TlsScheme, StringComparison.OrdinalIgnoreCase);
        if (!isTls && !text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return false;

        string authority = text[(isTls ? TlsScheme : Scheme).Length..].TrimEnd('/');
        int colon = authority.LastIndexOf(':');
        if (colon < 0 || !ushort.TryParse(authority.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
            return false;

        if (!TryParseHost(authority[..colon], port, out address))
            return false;
        address = address with { IsTls = isTls };
        return true;
    }

    private static bool TryParseHost(string host, int port, [NotNullWhen(true)] out ListenAddress? address)
    {
        address = new ListenAddress(host, null, port);
        if (host is "*" or "+" || (address.IsLocalhost && port != 0))
            return true;

        bool bracketed = host.StartsWith('[') && host.EndsWith(']');
        string bare = bracketed ? host[1..^1] : host;
        bool isIp = IPAddress.TryParse(bare, out IPAddress? ip) && bracketed == bare.Contains(':') && (bracketed || bare == ip.ToString());
        address = isIp ? new ListenAddress(bare, ip, port) : null;
        return isIp;
    }

    private bool SameHost(ListenAddress other) =>
        Host.Equals(other.Host, StringComparison.OrdinalIgnoreCase) || (IsLoopback && other.IsLoopback && (IsLocalhost || other.IsLocalhost));
}
