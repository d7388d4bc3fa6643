using GrpcPool.V1;

namespace GrpcPool.Client;

/// <summary>A task whose result was asked for ended without one: FAILED, CANCELLED or EXPIRED.</summary>
/// <param name="task">The task at its end.</param>
public sealed class TaskFailedException(TaskInfo task) : Exception(Describe(task))
{
    /// <summary>The task at its end, in view FULL; <see cref="TaskInfo.Failure"/> and <see cref="TaskInfo.Cancellation"/> say why.</summary>
    public TaskInfo Task { get; } = task;

    private static string Describe(TaskInfo task)
    {
        ArgumentNullException.ThrowIfNull(task);
        string why = task switch
        {
            { State: TaskState.Cancelled, Cancellation.Reason: { Length: > 0 } reason } => $": {reason}",
            { Failure: { } failure } => $": {failure.Code}: {failure.Message}",
            _ => ".",
        };
        return $"Task {task.Id} ended {task.State}{why}";
    }
}
