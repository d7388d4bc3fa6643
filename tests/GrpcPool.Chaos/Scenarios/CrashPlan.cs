using GrpcPool.Chaos.Histories;

namespace GrpcPool.Chaos.Scenarios;

/// <summary>What happens in a run; the rest is chosen by its seed.</summary>
internal sealed record CrashPlan(int Seed)
{
    /// <summary>How often the server is killed under load. With the kill of one that starts, three are what the default policy bears.</summary>
    public int Kills { get; init; } = 2;

    /// <summary>Whether the last kill is followed by that of the next server while it starts.</summary>
    public bool KillsStart { get; init; } = true;

    /// <summary>How many tasks are accepted in the end, or some more.</summary>
    public int Tasks { get; init; } = 1500;

    /// <summary>Which tasks.</summary>
    public LoadPlan Load { get; init; } = new(Seed);

    /// <summary>Whether the power goes with the server.</summary>
    public bool LosesWrites { get; init; }

    /// <summary>Whether fsync fails for a while before each kill.</summary>
    public bool FailsSync { get; init; }

    /// <summary>How many of the writes reach the disk before their fsync: none, or some of them in any order.</summary>
    public int EarlyPercentage => Seed % 2 == 0 ? 0 : 30;
}
