using GrpcPool.Client.Workers;
using GrpcPool.V1;

namespace GrpcPool.Client.Testing;

/// <summary>
/// A pool for the unit tests of an application: no server, no socket. Its <see cref="Client"/> is the real client; submitted tasks are run at once by the given
/// handlers, in this process, or wait until the test ends them. Thread-safe.
/// </summary>
/// <remarks>
/// It has Submit, SubmitBatch, SubmitStream, GetStatus, Wait, Watch and Cancel; the rest is UNIMPLEMENTED. It keeps no limits, queues and times: a delay and the pause
/// before another attempt are over at once, priorities and serial keys order nothing, batches are not atomic.
/// </remarks>
public sealed class InMemoryPool : IDisposable
{
    private readonly InMemoryTasks _tasks;

    /// <summary>Makes an empty pool.</summary>
    /// <param name="time">The clock of tasks and client; the system's if null.</param>
    public InMemoryPool(TimeProvider? time = null)
    {
        time ??= TimeProvider.System;
        _tasks = new InMemoryTasks(time);
        var calls = new InMemoryInvoker();
        TaskPoolService.BindService(calls.Methods, new InMemoryService(_tasks));
        Client = new GrpcPoolClient(calls, time);
    }

    /// <summary>The client for the code under test; closed with the pool.</summary>
    public GrpcPoolClient Client { get; }

    /// <summary>What was submitted, in order; a task that was there already is not in it twice.</summary>
    public IReadOnlyList<TaskSpec> Submitted => _tasks.Submitted;

    /// <summary>The attempts that handlers have begun, in order: their progress and log are there to be looked at, and they may be stopped.</summary>
    public IReadOnlyList<TestWorkContext> Attempts => _tasks.Attempts;

    /// <summary>Lets a handler run the tasks of a kind, also those that wait already. Tasks of a kind without one wait.</summary>
    /// <param name="kind">The kind; its former handler, if there was one, runs no more tasks.</param>
    /// <param name="handler">The handler; it must be safe for concurrent use.</param>
    /// <returns>This, for more handlers.</returns>
    public InMemoryPool AddHandler(string kind, IWorkHandler handler)
    {
        ArgumentException.ThrowIfNullOrEmpty(kind);
        ArgumentNullException.ThrowIfNull(handler);
        _tasks.AddHandler(kind, handler);
        return this;
    }

    /// <summary>Ends a task as if a handler had: one that waits, or one that runs, whose handler is then no longer heard.</summary>
    /// <param name="id">The task's id.</param>
    /// <param name="outcome">How. After a failure that may be retried, the task waits again as long as its policy allows.</param>
    /// <exception cref="InvalidOperationException">The task has ended.</exception>
    public void End(string id, WorkOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        _tasks.End(id, outcome);
    }

    /// <summary>Stops what runs, without waiting for it.</summary>
    public void Dispose()
    {
        _tasks.StopAll();
        Client.Dispose();
    }
}
