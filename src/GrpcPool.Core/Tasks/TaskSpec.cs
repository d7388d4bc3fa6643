namespace GrpcPool.Core.Tasks;

/// <summary>What was submitted, checked and with every default filled in. Never changes.</summary>
internal sealed record TaskSpec
{
    public static readonly IReadOnlyDictionary<string, string> NoPairs = new Dictionary<string, string>(0);

    public required string Kind { get; init; }

    public required string Queue { get; init; }

    public ReadOnlyMemory<byte> Payload { get; init; }

    public string ContentType { get; init; } = "";

    public int Priority { get; init; }

    /// <summary>Empty for none.</summary>
    public string SerialKey { get; init; } = "";

    public int Slots { get; init; } = 1;

    public IReadOnlyDictionary<string, string> Labels { get; init; } = NoPairs;

    public IReadOnlyDictionary<string, string> Headers { get; init; } = NoPairs;

    public string ParentId { get; init; } = "";

    public TimeSpan? StartTimeout { get; init; }

    public TimeSpan? RunTimeout { get; init; }

    public TimeSpan? TotalTimeout { get; init; }

    public RetryPolicy Retry { get; init; } = new();

    public TimeSpan Retention { get; init; }
}
