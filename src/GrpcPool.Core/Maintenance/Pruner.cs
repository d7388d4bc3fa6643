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

    /// <summary>How many more there must be before it is tried again where all of them were kept by others.</summary>
    private const int MoreBeforeTryingAgain = 100;

    /// <summary>How many there were when all were kept; else 0.</summary>
    private long _stuckAt;

    public void Note(DateTimeOffset? nextWake)
    {
    }

    public TaskCommand? Next(DateTimeOffset now)
    {
        long finished = counters.Finished;
        bool stuck = _stuckAt > 0 && finished >= _stuckAt && finished < _stuckAt + MoreBeforeTryingAgain;
        return finished > keep && !stuck ? new PruneTasks(keep, TasksMax) : null;
    }

    public void Done(CommandOutcome outcome) => _stuckAt = outcome.Verdict == Verdict.Done ? 0 : counters.Finished;
}
