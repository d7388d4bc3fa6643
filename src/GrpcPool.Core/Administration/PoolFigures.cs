namespace GrpcPool.Core.Administration;

/// <summary>How many tasks of one queue there are.</summary>
/// <param name="Queue">Its name.</param>
/// <param name="Scheduled">Those that wait for their time.</param>
/// <param name="Queued">Those that wait for their start.</param>
/// <param name="Running">Those that run.</param>
/// <param name="Retrying">Those that wait for another attempt.</param>
/// <param name="Passed">What has passed through it since it was first seen.</param>
internal readonly record struct QueueCount(string Queue, long Scheduled, long Queued, long Running, long Retrying, Passage Passed);

/// <summary>How often something has happened.</summary>
/// <param name="Submitted">Tasks that came in.</param>
/// <param name="Started">Attempts that began.</param>
/// <param name="Finished">Tasks that ended, in whichever way.</param>
/// <param name="Failed">Those of them that failed.</param>
internal readonly record struct Passage(long Submitted, long Started, long Finished, long Failed)
{
    public static Passage operator +(Passage one, Passage other) =>
        new(one.Submitted + other.Submitted, one.Started + other.Started, one.Finished + other.Finished, one.Failed + other.Failed);

    /// <summary>What has been added since an earlier reading; all of it where the counting began anew meanwhile.</summary>
    public Passage Since(Passage earlier) => earlier.Submitted > Submitted || earlier.Started > Started || earlier.Finished > Finished
        ? this
        : new(Submitted - earlier.Submitted, Started - earlier.Started, Finished - earlier.Finished, Failed - earlier.Failed);
}
