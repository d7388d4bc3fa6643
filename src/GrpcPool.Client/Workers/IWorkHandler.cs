using GrpcPool.V1;

namespace GrpcPool.Client.Workers;

/// <summary>Runs the tasks of one kind in a worker. What serves several attempts, such as a singleton, must be safe for concurrent use.</summary>
public interface IWorkHandler
{
    /// <summary>Runs one attempt.</summary>
    /// <param name="context">The task, and ways to report progress.</param>
    /// <param name="stopping">
    /// Fires when the attempt is asked to stop: a cancellation, a timeout, the end of a drain, a lease that was lost. <see cref="WorkContext.StopReason"/> says why.
    /// A handler that goes on all the same loses its lease later (<see cref="WorkContext.Killed"/>); its outcome is then no longer heard, but it keeps its slot
    /// until it returns.
    /// </param>
    /// <returns>The outcome. An exception counts as a retryable <see cref="FailureCode.HandlerError"/>.</returns>
    ValueTask<WorkOutcome> RunAsync(WorkContext context, CancellationToken stopping);
}
