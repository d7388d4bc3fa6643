using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>The retry policy's values where a task does not set them.</summary>
internal static class RetrySettings
{
    public static SettingsTable<GrpcPoolOptions> Table { get; } = new()
    {
        {
            "MaxAttempts", Whole(1, 1_000), o => o.Retry.MaxAttempts, (o, v) => o.Retry = o.Retry with { MaxAttempts = v },
            "Attempts that may fail; with 1 a failure is final."
        },
        {
            "InitialBackoff", Span(TimeSpan.Zero, TimeSpan.FromDays(1)), o => o.Retry.InitialBackoff, (o, v) => o.Retry = o.Retry with { InitialBackoff = v },
            "The pause before the second attempt."
        },
        {
            "BackoffMultiplier", Real(1, 100), o => o.Retry.BackoffMultiplier, (o, v) => o.Retry = o.Retry with { BackoffMultiplier = v },
            "By what each pause is longer than the one before."
        },
        {
            "MaxBackoff", Span(TimeSpan.Zero, TimeSpan.FromDays(30)), o => o.Retry.MaxBackoff, (o, v) => o.Retry = o.Retry with { MaxBackoff = v },
            "The longest pause."
        },
        { "Jitter", Real(0, 1), o => o.Retry.Jitter, (o, v) => o.Retry = o.Retry with { Jitter = v }, "How much of a pause is left to chance." },
        {
            "MaxLosses", Whole(0, 1_000), o => o.Retry.MaxLosses, (o, v) => o.Retry = o.Retry with { MaxLosses = v },
            "How often an attempt that was lost with its host is run again."
        },
        CheckBackoffs,
    };

    private static void CheckBackoffs(GrpcPoolOptions options, string path, Violations violations)
    {
        if (options.Retry.InitialBackoff > options.Retry.MaxBackoff)
            violations.Across(
                [$"{path}:InitialBackoff", $"{path}:MaxBackoff"],
                $"is \"{options.Retry.InitialBackoff:c}\", longer than {path}:MaxBackoff ({options.Retry.MaxBackoff:c}); shorten it or raise that.");
    }
}
