namespace GrpcPool.Core.Hosting;

/// <summary>How often attempts may start: a token bucket, of which each start takes one token. Without <see cref="Tokens"/> there is no such limit.</summary>
public sealed class RateOptions
{
    /// <summary>How many starts there may be in each <see cref="Per"/>, 1–1,000,000; null (the default) for no limit.</summary>
    public int? Tokens { get; set; }

    /// <summary>The time in which <see cref="Tokens"/> come back, evenly, 1 ms – 1 day. 1 s by default.</summary>
    public TimeSpan Per { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How many tokens are saved up while nothing starts, 1–1,000,000; null (the default): <see cref="Tokens"/>.</summary>
    public int? Burst { get; set; }
}

/// <summary>What holds for the tasks of one kind, whoever runs it and in whichever queue they wait.</summary>
public sealed class KindOptions
{
    /// <summary>How often its attempts may start, in each namespace. No limit by default.</summary>
    public RateOptions Rate { get; } = new();
}
