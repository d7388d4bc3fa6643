namespace GrpcPool.Chaos.Histories;

/// <summary>Which tasks are submitted.</summary>
/// <param name="Seed">Chooses them.</param>
internal sealed record LoadPlan(int Seed)
{
    /// <summary>How many tasks a batch has.</summary>
    public int Batch { get; init; } = 20;

    /// <summary>Of how many tasks two are commands, which cost a process each.</summary>
    public int Rarity { get; init; } = 100;

    /// <summary>The largest payload of a task that is over at once: large enough for a run to fill SQLite's log, so that crashes meet checkpoints too.</summary>
    public int PayloadBytesMax { get; init; } = 16_000;
}
