using System.Diagnostics;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Execution;

/// <summary>What became of an attempt.</summary>
internal enum AttemptOutcome
{
    Succeeded,
    Failed,

    /// <summary>It failed, and another follows.</summary>
    Retried,
    Cancelled,

    /// <summary>Given back: no attempt used.</summary>
    Released,

    /// <summary>Lost with its host.</summary>
    Lost,

    /// <summary>Its ending came too late: its claim stands no longer.</summary>
    Fenced,
}

/// <summary>What can be said of outcomes.</summary>
internal static class AttemptOutcomes
{
    /// <summary>What the commit made of an ending.</summary>
    public static AttemptOutcome Of(AttemptEnding ending, CommandOutcome commit)
    {
        if (commit is not { Verdict: Verdict.Done, Task: { } task })
            return AttemptOutcome.Fenced;
        if (ending is AttemptEnding.Lost)
            return AttemptOutcome.Lost;
        return task.State switch
        {
            TaskState.Succeeded => AttemptOutcome.Succeeded,
            TaskState.Cancelled => AttemptOutcome.Cancelled,
            TaskState.Queued => AttemptOutcome.Released,
            TaskState.Retrying => AttemptOutcome.Retried,
            _ => AttemptOutcome.Failed,
        };
    }

    /// <summary>As metrics and spans have it.</summary>
    public static string Text(AttemptOutcome outcome) => outcome switch
    {
        AttemptOutcome.Succeeded => "succeeded",
        AttemptOutcome.Failed => "failed",
        AttemptOutcome.Retried => "retried",
        AttemptOutcome.Cancelled => "cancelled",
        AttemptOutcome.Released => "released",
        AttemptOutcome.Lost => "lost",
        AttemptOutcome.Fenced => "fenced",
        _ => throw new UnreachableException(),
    };
}
