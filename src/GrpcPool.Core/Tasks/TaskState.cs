namespace GrpcPool.Core.Tasks;

/// <summary>Where a task is in its life. The numbers are those of the contract.</summary>
internal enum TaskState
{
    /// <summary>Waits for its time.</summary>
    Scheduled = 1,

    /// <summary>Due, waits to be started.</summary>
    Queued = 2,

    /// <summary>An attempt runs.</summary>
    Running = 3,

    /// <summary>Waits for its backoff to pass.</summary>
    Retrying = 4,

    /// <summary>Ended with a result.</summary>
    Succeeded = 5,

    /// <summary>Ended with a failure that is not tried again.</summary>
    Failed = 6,

    /// <summary>Ended because somebody asked for it.</summary>
    Cancelled = 7,

    /// <summary>Ended because it was not started in time.</summary>
    Expired = 8,
}

internal static class TaskStates
{
    public const int Count = 9;

    public static bool IsFinal(this TaskState state) => state >= TaskState.Succeeded;

    /// <summary>Waiting tasks are those that a queue's capacity counts.</summary>
    public static bool IsWaiting(this TaskState state) => state is TaskState.Scheduled or TaskState.Queued or TaskState.Retrying;
}
