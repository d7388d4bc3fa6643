using System.Text;
using GrpcPool.Core.Hosting.Settings;
using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Server.Hosting;

/// <summary>The settings of where the server listens.</summary>
internal static class ListenSettings
{
    private const string Form = "http://host:port, the host an IP address, localhost (not with port 0) or * for all, port 0 for any free port";

    private const string Address = "http://host:port or https://host:port, the host an IP address, localhost (not with port 0) or * for all, port 0 for any free port";

    public static SettingsTable<ListenOptions> Table { get; } = new()
    {
        { "Grpc", Text($"{Address}; empty for the socket alone", IsAddressOrNone), o => o.Grpc, (o, v) => o.Grpc = v, "The address of gRPC." },
        {
            "Socket", OptionalText($"an absolute path of at most {UnixSocket.PathBytesMax} bytes", IsSocketPath), o => o.Socket, (o, v) => o.Socket = v,
            "The path of a Unix socket for gRPC, for its owner and group."
        },
        { "Http", Text($"{Address}; empty for none", IsAddressOrNone), o => o.Http, (o, v) => o.Http = v, "The address of HTTP." },
        { "Ops", Text($"{Form}; empty for none", static text => IsAddressOrNone(text) && !IsTls(text)), o => o.Ops, (o, v) => o.Ops = v, "The address of the endpoints for operators." },
        { "Tls", TlsSettings.Table, o => o.Tls },
        {
            "AllowInsecure", Flag, o => o.AllowInsecure, (o, v) => o.AllowInsecure = v,
            "Whether Grpc and Http may be open to other hosts, without encryption and without a password."
        },
        CheckGrpc,
        CheckTls,
        CheckLoopback,
        CheckCollisions,
    };

    /// <summary>Whoever reaches an address from elsewhere must show something: a token or a certificate.</summary>
    public static void CheckCredentials(ListenOptions options, bool tokens, Violations violations)
    {
        if (options.AllowInsecure || tokens || options.Tls.ClientAuthorities is not null)
            return;
        foreach ((string key, string text) in Addresses(options))
        {
            if (ListenAddress.TryParse(text, out ListenAddress? address) && address is { IsTls: true, IsLoopback: false })
                violations.Across(
                    [$"Listen:{key}", "Access:Tokens", "Listen:AllowInsecure"],
                    $"is \"{text}\", which other hosts reach without a password; name tokens in Access:Tokens (grpcpool token new), ask for certificates by Listen:Tls:ClientAuthorities, " +
                    "or accept that with Listen:AllowInsecure = true.");
        }
    }

    private static void CheckGrpc(ListenOptions options, string path, Violations violations)
    {
        if (options.Grpc.Length == 0 && options.Socket is null)
            violations.Across([$"{path}:Grpc", $"{path}:Socket"], $"is empty, and so is {path}:Socket: nobody would reach the pool; give one of them.");
    }

    private static void CheckTls(ListenOptions options, string path, Violations violations)
    {
        (string Key, string Text)[] encrypted = [.. Addresses(options).Where(static address => IsTls(address.Text))];
        if (options.Tls.Certificate is not null && encrypted.Length == 0)
        {
            violations.Across(
                [$"{path}:Tls:Certificate", $"{path}:Grpc", $"{path}:Http"],
                $"is given, but no address uses it; begin {path}:Grpc or {path}:Http with https://.");
        }

        foreach ((string key, string text) in encrypted.Where(_ => options.Tls.Certificate is null))
            violations.Across([$"{path}:{key}", $"{path}:Tls:Certificate"], $"is \"{text}\"; give http://host:port, or a certificate: {path}:Tls:Certificate and {path}:Tls:Key.");
    }

    private static void CheckLoopback(ListenOptions options, string path, Violations violations)
    {
        if (options.AllowInsecure)
            return;

        foreach ((string key, string text) in Addresses(options).Where(address => address.Key != "Ops"))
        {
            if (ListenAddress.TryParse(text, out ListenAddress? address) && !address.IsLoopback && !address.IsTls)
                violations.Across(
                    [$"{path}:{key}", $"{path}:AllowInsecure"],
                    $"is \"{text}\", which other hosts reach without encryption; use https:// with {path}:Tls:Certificate, give a loopback address such as " +
                    $"http://127.0.0.1:{address.Port}, or accept that with {path}:AllowInsecure = true.");
        }
    }

    private static void CheckCollisions(ListenOptions options, string path, Violations violations)
    {
        var taken = new List<(string Key, ListenAddress Address)>();
        foreach ((string key, string text) in Addresses(options))
        {
            if (!ListenAddress.TryParse(text, out ListenAddress? address))
                continue;

            foreach ((string other, ListenAddress _) in taken.Where(taken => taken.Address.Collides(address)))
                violations.Across([$"{path}:{key}", $"{path}:{other}"], $"is \"{text}\", whose port {path}:{other} takes already; give another.");
            taken.Add((key, address));
        }
    }

    private static (string Key, string Text)[] Addresses(ListenOptions options) => [("Grpc", options.Grpc), ("Http", options.Http), ("Ops", options.Ops)];

    private static bool IsAddress(string text) => ListenAddress.TryParse(text, out _);

    private static bool IsTls(string text) => ListenAddress.TryParse(text, out ListenAddress? address) && address.IsTls;

    private static bool IsSocketPath(string path) => Path.IsPathFullyQualified(path) && Encoding.UTF8.GetByteCount(path) <= UnixSocket.PathBytesMax;

    private static bool IsAddressOrNone(string text) => text.Length == 0 || IsAddress(text);
}
