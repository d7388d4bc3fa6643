using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>The settings of a rate limit, and of the kinds that may have one.</summary>
internal static class RateSettings
{
    public static SettingsTable<RateOptions> Table { get; } = Of("Attempts that may start in each Per; none for no limit.", "Tokens that are saved up while nothing starts.");

    public static SettingsTable<KindOptions> Kind { get; } = new()
    {
        { "Rate", Table, o => o.Rate },
    };

    /// <summary>The settings of how often something may happen.</summary>
    /// <param name="tokens">What a token is for.</param>
    /// <param name="burst">When they are saved up.</param>
    public static SettingsTable<RateOptions> Of(string tokens, string burst) => new()
    {
        { "Tokens", Optional(Whole(1, 1_000_000)), o => o.Tokens, (o, v) => o.Tokens = v, tokens },
        { "Per", Span(TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1)), o => o.Per, (o, v) => o.Per = v, "The time in which the tokens come back, evenly." },
        { "Burst", Optional(Whole(1, 1_000_000)), o => o.Burst, (o, v) => o.Burst = v, burst, "as Tokens" },
        CheckTokens,
    };

    private static void CheckTokens(RateOptions options, string path, Violations violations)
    {
        if (options is { Tokens: null, Burst: not null })
            violations.Add($"{path}:Burst", $"is of no use without {path}:Tokens; set that too, or leave it out.");
    }
}
