using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Client;

/// <summary>
/// One task on the server: awaitable, to be watched, to be cancelled. Holds nothing but the id, so that a handle may be made anew from it at any time, and dropped
/// without a trace: the task goes on. Thread-safe.
/// </summary>
/// <remarks>
/// Besides what each method names: <see cref="RpcException"/> where the server refuses a call, or stays out of reach for longer than the client's options allow;
/// <see cref="OperationCanceledException"/> when the given token is cancelled, which ends the waiting and not the task.
/// </remarks>
public sealed class TaskHandle
{
    /// <summary>How long one call waits. A server that has not answered some time after this is silent.</summary>
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(1), SilenceMax = WaitMax + WatchStream.Heartbeat;

    private readonly PoolLink _link;

    internal TaskHandle(PoolLink link, string id) => (_link, Id) = (link, id);

    /// <summary>The task's id.</summary>
    public string Id { get; }

    /// <summary>Waits for the task's end, as <see cref="WaitAsync"/> does.</summary>
    public TaskAwaiter<TaskInfo> GetAwaiter() => WaitAsync().GetAwaiter();

    /// <summary>
    /// Waits for the task's end, whichever it is: over cut connections, and over restarts of a server whose storage is durable, for as long as
    /// <see cref="GrpcPoolClientOptions.ReconnectFor"/> allows.
    /// </summary>
    /// <param name="cancellationToken">Ends the waiting; the task goes on.</param>
    /// <returns>The task in its final state, in view FULL.</returns>
    /// <exception cref="TaskGoneException">The server does not know the task.</exception>
    public async Task<TaskInfo> WaitAsync(CancellationToken cancellationToken = default)
    {
        var request = new WaitRequest { Id = Id, Timeout = Duration.FromTimeSpan(WaitMax), View = TaskView.Full };
        while (true)
        {
            var patience = new Patience(_link.Options.ReconnectFor, _link.Time);
            Task<WaitResponse> call = _link.CallAsync(options => _link.Service.WaitAsync(request, options).ResponseAsync, patience, SilenceMax, cancellationToken);
            WaitResponse response = await KnownAsync(call).ConfigureAwait(false);
            if (response.Finished)
                return response.Task;
        }
    }

    /// <summary>Waits for the task's end, as <see cref="WaitAsync"/> does, and for its result.</summary>
    /// <param name="cancellationToken">Ends the waiting; the task goes on.</param>
    /// <exception cref="TaskFailedException">The task ended without success.</exception>
    /// <exception cref="TaskGoneException">The server does not know the task.</exception>
    public async Task<ReadOnlyMemory<byte>> GetResultAsync(CancellationToken cancellationToken = default)
    {
        TaskInfo task = await WaitAsync(cancellationToken).ConfigureAwait(false);
        return task.State == TaskState.Succeeded ? task.Result.Memory : throw new TaskFailedException(task);
    }

    /// <summary>The same, for a result that is JSON.</summary>
    /// <typeparam name="TResult">What the result is.</typeparam>
    /// <param name="type">How it is read, from a <c>JsonSerializerContext</c>.</param>
    /// <param name="cancellationToken">Ends the waiting; the task goes on.</param>
    /// <returns>The result; null where it is the JSON <c>null</c>.</returns>
    /// <exception cref="TaskFailedException">The task ended without success.</exception>
    /// <exception cref="TaskGoneException">The server does not know the task.</exception>
    /// <exception cref="JsonException">The result is not such JSON.</exception>
    public async Task<TResult?> GetResultAsync<TResult>(JsonTypeInfo<TResult> type, CancellationToken cancellationToken = default) =>
        JsonSerializer.Deserialize((await GetResultAsync(cancellationToken).ConfigureAwait(false)).Span, type);

    /// <summary>Asks how the task is now.</summary>
    /// <param name="view">How much of it to answer.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="TaskGoneException">The server does not know the task.</exception>
    public async Task<TaskInfo> GetStatusAsync(TaskView view = TaskView.Basic, CancellationToken cancellationToken = default)
    {
        var request = new GetStatusRequest { Id = Id, View = view };
        return (await KnownAsync(_link.CallAsync(options => _link.Service.GetStatusAsync(request, options).ResponseAsync, cancellationToken)).ConfigureAwait(false)).Task;
    }

    /// <summary>
    /// Follows the task: as it is now, then each change and each report of progress, until its final state, with which the sequence ends. It goes on over cut
    /// connections and restarts as <see cref="WaitAsync"/> does. Who reads slowly misses states in between, never the last.
    /// </summary>
    /// <param name="view">How much of the task each element has.</param>
    /// <param name="cancellationToken">Ends the watch; the task goes on.</param>
    /// <exception cref="TaskGoneException">The server does not know the task.</exception>
    public async IAsyncEnumerable<TaskInfo> WatchAsync(TaskView view = TaskView.Basic, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var request = new WatchRequest { Ids = { Id }, View = view };
        long version = 0;
        await foreach (TaskEvent told in ResumingWatch.ReadAsync(_link, request, cancellationToken).ConfigureAwait(false))
        {
            if (told.Type == WatchEventType.Deleted)
                throw new TaskGoneException(Id);
            if (told.Task is not { } task || (!told.Restarted && told.Type != WatchEventType.Progress && task.Version <= version))
                continue;
            version = task.Version;
            yield return task;
            if (task.State.IsFinal())
                yield break;
        }

        yield return await GetStatusAsync(view, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Asks for the task's end. One that waits is CANCELLED at once; one that runs is told, and stopped by force after a while. A finished one stays as it is.
    /// Harmless to repeat.
    /// </summary>
    /// <param name="reason">Why, for whoever looks at the task: at most 1,024 bytes.</param>
    /// <param name="forceAfter">After what time a running handler is stopped by force: 0 to 1 hour. Null: 10 s.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The task after the call; while it is RUNNING, <see cref="WaitAsync"/> tells its end.</returns>
    /// <exception cref="TaskGoneException">The server does not know the task.</exception>
    public async Task<TaskInfo> CancelAsync(string reason = "", TimeSpan? forceAfter = null, CancellationToken cancellationToken = default)
    {
        var request = new CancelRequest { Id = Id, Reason = reason, ForceAfter = forceAfter is { } span ? Duration.FromTimeSpan(span) : null };
        return (await KnownAsync(_link.CallAsync(options => _link.Service.CancelAsync(request, options).ResponseAsync, cancellationToken)).ConfigureAwait(false)).Task;
    }

    /// <summary>The id.</summary>
    public override string ToString() => Id;

    private async Task<TResponse> KnownAsync<TResponse>(Task<TResponse> call)
    {
        try
        {
            return await call.ConfigureAwait(false);
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.NotFound)
        {
            throw new TaskGoneException(Id, error);
        }
    }
}
