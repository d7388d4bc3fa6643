namespace GrpcPool.Core.Tasks;

/// <summary>How a running attempt ended.</summary>
internal abstract record AttemptEnding
{
    private AttemptEnding()
    {
    }

    /// <summary>The newest progress, stored with the ending.</summary>
    public TaskProgress? Progress { get; init; }

    public sealed record Succeeded(ReadOnlyMemory<byte> Result, string ContentType) : AttemptEnding;

    /// <param name="Failure">Why.</param>
    /// <param name="JitterSample">A uniform sample of 0..1 for the pause before the next attempt.</param>
    public sealed record Failed(Failure Failure, double JitterSample) : AttemptEnding
    {
        /// <summary>The least pause before the next attempt, as who failed asks for it; null for none.</summary>
        public TimeSpan? RetryAfter { get; init; }
    }

    /// <summary>The attempt was lost with its host: it counts in losses, not in attempts.</summary>
    public sealed record Lost : AttemptEnding;

    /// <summary>Given back (drain, worker): no attempt used.</summary>
    /// <param name="HandlerBegan">Whether its handler had begun, so that another start would be a second one.</param>
    public sealed record Released(bool HandlerBegan) : AttemptEnding;
}
