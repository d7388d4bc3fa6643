using GrpcPool.Core.Hosting.Settings;
using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Server.Access;

/// <summary>The settings of who may use the server.</summary>
internal static class AccessSettings
{
    private static readonly SettingsTable<TokenOptions> Token = new()
    {
        {
            "Hash", Secret(OptionalText("the SHA-256 of a token, 64 hexadecimal digits, as grpcpool token new prints it", TokenHash.IsValid)), o => o.Hash, (o, v) => o.Hash = v,
            "What the token is known by."
        },
        {
            "HashFile", OptionalText("the absolute path of a file with such hashes, one a line", Path.IsPathFullyQualified), o => o.HashFile, (o, v) => o.HashFile = v,
            "The same in a file, which is read again when it changes; each of its hashes is valid."
        },
        { GrantSettings.Table, o => o },
        CheckHash,
    };

    private static readonly SettingsTable<PeerOptions> Peer = new()
    {
        { "Uid", Optional(Whole(0, int.MaxValue)), o => o.Uid, (o, v) => o.Uid = v, "The number of a user who needs no token on the Unix socket." },
        { "Gid", Optional(Whole(0, int.MaxValue)), o => o.Gid, (o, v) => o.Gid = v, "The number of a group of such users; beside Uid, both must be so." },
        { GrantSettings.Table, o => o },
        CheckIds,
    };

    public static SettingsTable<AccessOptions> Table { get; } = new()
    {
        new EntriesSetting<AccessOptions>("Tokens", "<token>", new EntryType<AccessOptions, TokenOptions>(null, Token, o => o.Tokens)),
        new EntriesSetting<AccessOptions>("Peers", "<peer>", new EntryType<AccessOptions, PeerOptions>(null, Peer, o => o.Peers)),
        { "Jwt", JwtSettings.Table, o => o.Jwt },
        CheckNames,
    };

    private static void CheckHash(TokenOptions options, string path, Violations violations)
    {
        if ((options.Hash is null) == (options.HashFile is null))
        {
            violations.Across(
                [$"{path}:Hash", $"{path}:HashFile"],
                $"{(options.Hash is null ? "is missing" : $"is given beside {path}:HashFile")}; give one of them: grpcpool token new makes a token and its hash.");
        }
        else if (options.HashFile is { } file && Path.IsPathFullyQualified(file) && !TokenHash.TryReadFile(file, out _, out string? reason))
        {
            violations.Add($"{path}:HashFile", $"is \"{file}\", which cannot be used: {reason}; give a file with hashes of tokens, one a line.");
        }
    }

    private static void CheckIds(PeerOptions options, string path, Violations violations)
    {
        if (options is { Uid: null, Gid: null })
            violations.Across([$"{path}:Uid", $"{path}:Gid"], $"is missing, and so is {path}:Gid; give one of them: id prints those of a user.");
    }

    /// <summary>Who did something is told by name, and who somebody is must not depend on an order.</summary>
    private static void CheckNames(AccessOptions options, string path, Violations violations)
    {
        foreach (string name in options.Peers.Keys.Where(options.Tokens.ContainsKey))
            violations.Across([$"{path}:Peers:{name}", $"{path}:Tokens:{name}"], $"has the name of {path}:Tokens:{name}; give it another.");
        foreach (string[] same in options.Peers.GroupBy(static peer => (peer.Value.Uid, peer.Value.Gid), static peer => peer.Key).Select(static names => names.Order(StringComparer.Ordinal).ToArray()))
        {
            if (same.Length > 1)
                violations.Add($"{path}:Peers:{same[1]}", $"stands for the same users as {path}:Peers:{same[0]}; keep one of them.");
        }
    }
}
