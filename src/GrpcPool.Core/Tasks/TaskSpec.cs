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

    /// <summary>Of the tasks with one key at most one has not ended; empty for none.</summary>
    public string UniqueKey { get; init; } = "";

    public ConflictPolicy OnConflict { get; init; } = ConflictPolicy.UseExisting;

    /// <summary>The ids of the tasks after which it is to run, each once.</summary>
    public IReadOnlyList<string> After { get; init; } = [];

    public AfterPolicy AfterPolicy { get; init; } = AfterPolicy.Cancel;

    public int Slots { get; init; } = 1;

    public IReadOnlyDictionary<string, string> Labels { get; init; } = NoPairs;

    public IReadOnlyDictionary<string, string> Headers { get; init; } = NoPairs;

    public string ParentId { get; init; } = "";

    /// <summary>Shared with other tasks; empty for none.</summary>
    public string Group { get; init; } = "";

    /// <summary>The schedule that submits it; empty for none.</summary>
    public string ScheduleId { get; init; } = "";

    public TimeSpan? StartTimeout { get; init; }

    public TimeSpan? RunTimeout { get; init; }

    public TimeSpan? TotalTimeout { get; init; }

    public RetryPolicy Retry { get; init; } = RetryPolicy.Default;

    public TimeSpan Retention { get; init; }
}
