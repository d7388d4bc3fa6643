using GrpcPool.Core.Hosting.Settings;
using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Server.Access;

/// <summary>The settings of JSON Web Tokens.</summary>
internal static class JwtSettings
{
    private const int ClaimCharactersMax = 128;

    private static readonly ValueRule<string> Claim = Text($"the name of a claim, 1–{ClaimCharactersMax} characters", static name => name.Length is > 0 and <= ClaimCharactersMax);

    public static SettingsTable<JwtOptions> Table { get; } = new()
    {
        { "Issuer", OptionalText("a text", static _ => true), o => o.Issuer, (o, v) => o.Issuer = v, "The issuer whose JSON Web Tokens are accepted: their iss." },
        { "Audience", OptionalText("a text", static _ => true), o => o.Audience, (o, v) => o.Audience = v, "What must be in the aud of a token." },
        {
            "KeysUrl", OptionalText("https://…, or http:// and a loopback address", IsUrl), o => o.KeysUrl, (o, v) => o.KeysUrl = v,
            "Where the issuer offers its keys as a JWK Set; fetched again every 5 minutes, and for a key that is not known."
        },
        { "KeysFile", OptionalText("an absolute path", Path.IsPathFullyQualified), o => o.KeysFile, (o, v) => o.KeysFile = v, "The same in a file, which is read again when it changes." },
        new ListSetting<JwtOptions>("Algorithms", o => o.Algorithms, $"By which a token may be signed, of {string.Join(", ", JwtBook.KnownAlgorithms)}; empty for {string.Join(", ", JwtBook.DefaultAlgorithms)}."),
        { "ClockSkew", Span(TimeSpan.Zero, TimeSpan.FromMinutes(5)), o => o.ClockSkew, (o, v) => o.ClockSkew = v, "How far the issuer's clock may be off." },
        { "NameClaim", Claim, o => o.NameClaim, (o, v) => o.NameClaim = v, "The claim that names the bearer." },
        { "RolesClaim", Claim, o => o.RolesClaim, (o, v) => o.RolesClaim = v, "The claim with the roles." },
        { "NamespaceClaim", Claim, o => o.NamespaceClaim, (o, v) => o.NamespaceClaim = v, "The claim with the namespace." },
        { "QueuesClaim", Claim, o => o.QueuesClaim, (o, v) => o.QueuesClaim = v, "The claim with the queues that the bearer is confined to." },
        { "KindsClaim", Claim, o => o.KindsClaim, (o, v) => o.KindsClaim = v, "The claim with the kinds that the bearer is confined to." },
        CheckWhole,
        CheckAlgorithms,
    };

    private static void CheckWhole(JwtOptions options, string path, Violations violations)
    {
        bool hasKeys = options.KeysUrl is not null || options.KeysFile is not null;
        if (options.Issuer is null && options.Audience is null && !hasKeys)
            return;
        if (options.Issuer is null)
            violations.Add($"{path}:Issuer", "is missing; give the iss of the tokens that are to be accepted.");
        if (options.Audience is null)
            violations.Add($"{path}:Audience", "is missing: tokens of the issuer for other servers would be accepted; give the aud of those for this one.");
        if (!hasKeys || (options.KeysUrl is not null && options.KeysFile is not null))
            violations.Across([$"{path}:KeysUrl", $"{path}:KeysFile"], $"{(hasKeys ? "is given beside" : "is missing, and so is")} {path}:KeysFile; give one of them.");
        else if (options.KeysFile is { } file && Path.IsPathFullyQualified(file) && JwtKeys.TryReadFile(file, out _, out string? reason) is null)
            violations.Add($"{path}:KeysFile", $"is \"{file}\", which cannot be used: {reason}; give a file with a JWK Set.");
    }

    private static void CheckAlgorithms(JwtOptions options, string path, Violations violations)
    {
        if (options.Algorithms.Find(static name => !JwtBook.KnownAlgorithms.Contains(name)) is { } unknown)
            violations.Add($"{path}:Algorithms", $"has \"{unknown}\"; give some of {string.Join(", ", JwtBook.KnownAlgorithms)}.");
    }

    /// <summary>Whoever could change the keys on their way could make tokens.</summary>
    private static bool IsUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback));
}
