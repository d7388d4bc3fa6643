namespace GrpcPool.Core.Tasks;

/// <summary>How often, and after what pause, a task is tried again.</summary>
public sealed record RetryPolicy
{
    /// <summary>The policy with all defaults.</summary>
    internal static readonly RetryPolicy Default = new();

    /// <summary>The longest pause that is made because who failed asks for it.</summary>
    internal static readonly TimeSpan RetryAfterMax = TimeSpan.FromDays(1);

    /// <summary>How many attempts may fail, 1–1,000. 1 (the default): a failure is final.</summary>
    public int MaxAttempts { get; init; } = 1;

    /// <summary>The pause before the second attempt, 0 s – 1 day. 1 s by default.</summary>
    public TimeSpan InitialBackoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>By what each pause is longer than the one before, 1–100. 2 by default.</summary>
    public double BackoffMultiplier { get; init; } = 2;

    /// <summary>The longest pause, 0 s – 30 days. 5 minutes by default.</summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How much of a pause is left to chance, 0–1: a pause of p lasts between p × (1 − jitter) and p × (1 + jitter). 0.2 by default.</summary>
    public double Jitter { get; init; } = 0.2;

    /// <summary>How often an attempt that was lost with its host is run again, 0–1,000; it does not count in <see cref="MaxAttempts"/>. 3 by default.</summary>
    public int MaxLosses { get; init; } = 3;

    /// <summary>The pause after the attempt with this number failed: the backoff, or longer where who failed asks for it.</summary>
    internal TimeSpan PauseAfter(int failures, double sample, TimeSpan? retryAfter)
    {
        TimeSpan backoff = BackoffAfter(failures, sample);
        TimeSpan asked = retryAfter > RetryAfterMax ? RetryAfterMax : retryAfter ?? TimeSpan.Zero;
        return asked > backoff ? asked : backoff;
    }

    /// <summary>The backoff after the attempt with this number failed.</summary>
    /// <param name="failures">How many attempts have failed, from 1.</param>
    /// <param name="sample">A uniform sample of 0..1, which picks the place within the jitter.</param>
    internal TimeSpan BackoffAfter(int failures, double sample)
    {
        // The power may be infinite, of which a share of nothing is not a number.
        double growth = Math.Min(double.MaxValue, Math.Pow(BackoffMultiplier, failures - 1));
        double pause = Math.Min(MaxBackoff.TotalSeconds, InitialBackoff.TotalSeconds * growth);
        return TimeSpan.FromSeconds(Math.Min(MaxBackoff.TotalSeconds, pause * (1 + Jitter * (2 * sample - 1))));
    }
}
