namespace GrpcPool.Core.Handlers;

/// <summary>Runs the tasks of one kind. What serves several attempts, such as a singleton, must be safe for concurrent use.</summary>
public interface ITaskHandler
{
    /// <summary>Runs one attempt.</summary>
    /// <param name="context">The task, and ways to report progress.</param>
    /// <param name="stopping">
    /// Fires when the attempt is asked to stop: a cancellation, a timeout, a shutdown. A handler that goes on all the same is stopped by force later
    /// (<see cref="TaskContext.Killed"/>); its outcome is then no longer heard, but it keeps its slot until it returns.
    /// </param>
    /// <returns>The outcome. An exception counts as a retryable <see cref="Tasks.FailureCode.HandlerError"/>.</returns>
    ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping);
}
