using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Maintenance;

/// <summary>Has the oldest finished tasks forgotten when there are too many.</summary>
/// <param name="keep">How many finished tasks stay.</param>
/// <param name="counters">Knows how many there are.</param>
internal sealed class Pruner(int keep, TaskCounters counters) : IDuty
{
    /// <summary>How many tasks one commit forgets.</summary>
    private const int TasksMax = 1000;

    public void Note(DateTimeOffset? nextWake)
    {
    }

    public TaskCommand? Next(DateTimeOffset now) => counters.Finished > keep ? new PruneTasks(keep, TasksMax) : null;
}
