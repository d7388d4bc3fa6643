using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Maintenance;

/// <summary>Something the pool does of itself, one command at a time, within the commits that happen anyway.</summary>
internal interface IDuty
{
    /// <summary>Hears, after each commit, when the clock next changes a task; null for never.</summary>
    void Note(DateTimeOffset? nextWake);

    /// <summary>What is to be done now, or null. Asked before each commit.</summary>
    TaskCommand? Next(DateTimeOffset now);

    /// <summary>Hears what became of its command.</summary>
    void Done(CommandOutcome outcome)
    {
    }
}
