using GrpcPool.V1;

namespace GrpcPool.Client;

/// <summary>What a state means.</summary>
public static class TaskStates
{
    /// <summary>Whether a task in this state has ended: SUCCEEDED, FAILED, CANCELLED or EXPIRED.</summary>
    /// <param name="state">The state.</param>
    public static bool IsFinal(this TaskState state) => state is TaskState.Succeeded or TaskState.Failed or TaskState.Cancelled or TaskState.Expired;
}
