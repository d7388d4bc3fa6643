using System.Collections.Concurrent;
using GrpcPool.V1;

namespace GrpcPool.Chaos.Histories;

/// <summary>What the clients know: which tasks they have tried to submit, and which of them were answered OK. Thread-safe.</summary>
internal sealed class History
{
    private readonly ConcurrentDictionary<string, TaskSpec> _attempted = new();
    private readonly ConcurrentDictionary<string, bool> _accepted = new();
    private int _count;
    private (int Count, TaskCompletionSource Reached) _goal = (int.MaxValue, new TaskCompletionSource());

    public IReadOnlyDictionary<string, TaskSpec> Attempted => _attempted;

    public IEnumerable<string> Accepted => _accepted.Keys;

    /// <summary>How many tasks were accepted.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The tasks of which nobody knows whether they were accepted, in the order of their ids.</summary>
    public IReadOnlyList<TaskSpec> Unknown => [.. _attempted.Values.Where(task => !_accepted.ContainsKey(task.Id)).OrderBy(static task => task.Id, StringComparer.Ordinal)];

    public void Attempt(TaskSpec task) => _attempted[task.Id] = task;

    public void Accept(string id)
    {
        if (_accepted.TryAdd(id, true) && Interlocked.Increment(ref _count) >= _goal.Count)
            _goal.Reached.TrySetResult();
    }

    /// <summary>Waits until so many tasks are accepted. One at a time, and before they are submitted.</summary>
    public Task WhenAcceptedAsync(int count)
    {
        _goal = (count, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        return _goal.Reached.Task;
    }
}
