using GrpcPool.Core.Execution;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Workers;

namespace GrpcPool.Core.Maintenance;

/// <summary>
/// What becomes of that which a former process left running. What ran within it is lost: it counts as a loss, not as an attempt, and its policy says what becomes of
/// it. A lease of somebody outside of it stands: for one more lease duration, or until its own time.
/// </summary>
internal static class Recovery
{
    /// <summary>How many attempts one commit ends.</summary>
    private const int AttemptsMax = 1000;

    /// <summary>Ends what a former process ran itself, commit by commit. Before it is done, nothing else may write.</summary>
    /// <param name="store">The store.</param>
    /// <param name="running">What it left running.</param>
    /// <param name="standing">Takes the tasks whose leases stand.</param>
    /// <param name="time">The clock.</param>
    public static async IAsyncEnumerable<CommitResult> LoseAsync(ITaskStore store, IReadOnlyList<RunningClaim> running, List<TaskRecord> standing, TimeProvider time)
    {
        foreach (RunningClaim[] claims in running.Chunk(AttemptsMax))
        {
            var commands = new List<TaskCommand>();
            foreach (RunningClaim claim in claims)
            {
                if (await store.FindAsync(claim.Id).ConfigureAwait(false) is { Lease.Nonce: not 0 } leased)
                    standing.Add(leased);
                else
                    commands.Add(new EndAttempt(claim.Id, claim.Claim, new AttemptEnding.Lost()));
            }

            if (commands.Count > 0)
                yield return await store.CommitAsync(commands, time.GetUtcNow()).ConfigureAwait(false);
        }
    }

    /// <summary>Waits for whoever holds the lease of a task.</summary>
    public static void Adopt(TaskRecord task, LeaseBook leases, Executor executor)
    {
        var token = new LeaseToken(task.Claim, task.Lease!.Nonce);
        if (task.Lease.Until is { } until)
        {
            var callback = leases.Open(new Callback(task.Id, token, leases));
            callback.Leave();
            executor.Adopt(task, new HandlerEntry(callback, until - task.StartedAt, HandlerRegistry.DefaultKillAfter) { HandsOver = true });
        }
        else
        {
            var assignment = leases.Open(new Assignment(task.Id, task.Attempt, token, leases));
            assignment.Renew(executor.Time.GetTimestamp());
            executor.Adopt(task, new HandlerEntry(assignment, RunTimeout: null, HandlerRegistry.DefaultKillAfter) { HandsOver = true });
        }
    }
}
