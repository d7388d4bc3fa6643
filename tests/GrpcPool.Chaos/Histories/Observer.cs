using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Chaos.Histories;

/// <summary>Watches all tasks from the first on, over all servers, resuming by revision, and judges what it is told.</summary>
internal sealed class Observer
{
    private const int MissingShownMax = 20;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, TaskInfo> _tasks = [];
    private readonly HashSet<string> _open = [];
    private readonly List<string> _violations = [];
    private HashSet<string>? _awaited;
    private TaskCompletionSource? _settled;
    private long _revision;

    /// <summary>What may not have happened.</summary>
    public IReadOnlyList<string> Violations => _violations;

    /// <summary>The newest that was told of each task.</summary>
    public IReadOnlyDictionary<string, TaskInfo> Tasks => _tasks;

    /// <summary>Begins to watch, or goes on after the last revision.</summary>
    /// <returns>The watch, which ends with the server; awaited, it is known to have begun.</returns>
    public async Task<Task> FollowAsync(TaskPoolService.TaskPoolServiceClient client, CancellationToken stop)
    {
        var request = new WatchRequest { Filter = new TaskFilter(), AfterRevision = _revision, SkipSnapshot = true };
        AsyncServerStreamingCall<WatchResponse> call = client.Watch(request, cancellationToken: stop);
        if (_revision == 0 && await NextAsync(call, stop) is { } synced)
            Take(synced);
        return ReadAsync(call, stop);
    }

    /// <summary>Waits until the watch has told the ends of these tasks, and of all others it knows.</summary>
    public Task WhenAllEndedAsync(IEnumerable<string> ids)
    {
        lock (_lock)
        {
            _awaited = [.. ids.Where(id => !_tasks.TryGetValue(id, out TaskInfo? task) || !IsFinal(task))];
            _settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            SignalIfSettled_NeedsLock();
            return _settled.Task;
        }
    }

    /// <summary>The same, but for whoever does not wait for ever.</summary>
    /// <exception cref="TimeoutException">It is stopped first; the message names what has not ended.</exception>
    public async Task SeeAllEndAsync(IEnumerable<string> ids, CancellationToken stop)
    {
        try
        {
            await WhenAllEndedAsync(ids).WaitAsync(stop);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException(string.Join('\n', Missing().Take(MissingShownMax).Select(static id => $"{id} has not been seen to end")));
        }
    }

    /// <summary>The tasks whose end is still waited for.</summary>
    private string[] Missing()
    {
        lock (_lock)
            return [.. _open.Union(_awaited ?? [])];
    }

    private static bool IsFinal(TaskInfo task) => task.State >= TaskState.Succeeded;

    private async Task ReadAsync(AsyncServerStreamingCall<WatchResponse> call, CancellationToken stop)
    {
        using (call)
        {
            while (await NextAsync(call, stop) is { } message)
                Take(message);
        }
    }

    /// <summary>The next message; null where the server is gone.</summary>
    private async Task<WatchResponse?> NextAsync(AsyncServerStreamingCall<WatchResponse> call, CancellationToken stop)
    {
        try
        {
            return await call.ResponseStream.MoveNext(stop) ? call.ResponseStream.Current : null;
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.OutOfRange)
        {
            lock (_lock)
                _violations.Add($"the watch could not go on after {_revision}: {error.Status.Detail}");
            return null;
        }
        catch (Exception error) when (error is RpcException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>Takes in what the watch tells.</summary>
    public void Take(WatchResponse message)
    {
        lock (_lock)
        {
            foreach (WatchEvent told in message.Events)
                Take_NeedsLock(told);
            if (message.Revision != 0 && message.Revision < _revision)
                _violations.Add($"the revision went back from {_revision} to {message.Revision}");
            _revision = Math.Max(_revision, message.Revision);
            SignalIfSettled_NeedsLock();
        }
    }

    private void Take_NeedsLock(WatchEvent told)
    {
        if (told.Type != WatchEventType.Changed)
            return;
        TaskInfo task = told.Task;
        if (_tasks.TryGetValue(task.Id, out TaskInfo? before))
        {
            if (task.Version <= before.Version || task.Revision <= before.Revision)
                _violations.Add($"{task.Id} went back from version {before.Version} to {task.Version}");
            if (IsFinal(before))
                _violations.Add($"{task.Id} had ended as {before.State} and is {task.State}");
        }

        _tasks[task.Id] = task;
        if (IsFinal(task))
            _open.Remove(task.Id);
        else
            _open.Add(task.Id);
        if (IsFinal(task))
            _awaited?.Remove(task.Id);
    }

    private void SignalIfSettled_NeedsLock()
    {
        if (_awaited is { Count: 0 } && _open.Count == 0)
            _settled!.TrySetResult();
    }
}
