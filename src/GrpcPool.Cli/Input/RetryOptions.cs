using System.CommandLine;
using GrpcPool.V1;
using Duration = Google.Protobuf.WellKnownTypes.Duration;

namespace GrpcPool.Cli.Input;

/// <summary>The options that say when a failed attempt is followed by another.</summary>
internal static class RetryOptions
{
    private static readonly Option<int?> MaxAttempts = new("--max-attempts") { Description = "How many attempts may fail; 1 makes a failure final.", HelpName = "number" };
    private static readonly Option<Duration?> InitialBackoff = Spans.Option("--initial-backoff", "The pause before the second attempt.");
    private static readonly Option<double?> BackoffMultiplier = new("--backoff-multiplier") { Description = "By what each pause is longer than the one before.", HelpName = "number" };
    private static readonly Option<Duration?> MaxBackoff = Spans.Option("--max-backoff", "The longest pause.");
    private static readonly Option<double?> Jitter = new("--jitter") { Description = "How much of a pause is left to chance: 0 to 1.", HelpName = "number" };
    private static readonly Option<int?> MaxLosses = new("--max-losses") { Description = "How often an attempt lost with its host is run again; 0 is at most once.", HelpName = "number" };

    private static readonly Option[] All = [MaxAttempts, InitialBackoff, BackoffMultiplier, MaxBackoff, Jitter, MaxLosses];

    public static void AddTo(Command command)
    {
        foreach (Option option in All)
            command.Add(option);
    }

    /// <summary>The policy that is asked for; null where nothing is said, which is the server's own.</summary>
    public static RetryPolicy? Read(ParseResult result)
    {
        if (!Array.Exists(All, option => result.GetResult(option) is not null))
            return null;

        var policy = new RetryPolicy { InitialBackoff = result.GetValue(InitialBackoff), MaxBackoff = result.GetValue(MaxBackoff) };
        if (result.GetValue(MaxAttempts) is { } attempts)
            policy.MaxAttempts = attempts;
        if (result.GetValue(BackoffMultiplier) is { } multiplier)
            policy.BackoffMultiplier = multiplier;
        if (result.GetValue(Jitter) is { } jitter)
            policy.Jitter = jitter;
        if (result.GetValue(MaxLosses) is { } losses)
            policy.MaxLosses = losses;
        return policy;
    }
}
