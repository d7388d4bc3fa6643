using GrpcPool.Core.Hosting.Settings;
using GrpcPool.Core.Tasks;
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
        new ListSetting<TokenOptions>("Roles", o => o.Roles, "What the token may do: submit, read, work, operate, and admin, which contains the others."),
        { "Namespace", Text(PoolName.Rule, PoolName.IsValid), o => o.Namespace, (o, v) => o.Namespace = v, "The namespace that it belongs to." },
        new ListSetting<TokenOptions>("Queues", o => o.Queues, "The queues that it is confined to; empty for all."),
        new ListSetting<TokenOptions>("Kinds", o => o.Kinds, "The kinds that it is confined to; empty for all."),
        CheckHash,
        CheckRoles,
        CheckConfinement,
    };

    public static SettingsTable<AccessOptions> Table { get; } = new()
    {
        new EntriesSetting<AccessOptions>("Tokens", "<token>", new EntryType<AccessOptions, TokenOptions>(null, Token, o => o.Tokens)),
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

    private static void CheckRoles(TokenOptions options, string path, Violations violations)
    {
        string known = string.Join(", ", RoleNames.All);
        if (options.Roles.Count == 0)
            violations.Add($"{path}:Roles", $"is empty, so that the token could do nothing; give at least one of {known}.");
        else if (options.Roles.Find(static role => !RoleNames.IsKnown(role)) is { } unknown)
            violations.Add($"{path}:Roles", $"has \"{unknown}\", which is no role; give some of {known}.");
    }

    private static void CheckConfinement(TokenOptions options, string path, Violations violations)
    {
        foreach ((string key, List<string> names) in (ReadOnlySpan<(string, List<string>)>)[("Queues", options.Queues), ("Kinds", options.Kinds)])
        {
            if (names.Find(static name => !PoolName.IsValid(name)) is { } wrong)
                violations.Add($"{path}:{key}", $"has \"{wrong}\", which is no name; give names of {PoolName.Rule}.");
        }
    }
}
