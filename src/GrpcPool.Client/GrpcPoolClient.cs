using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcPool.V1;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GrpcPool.Client;

/// <summary>
/// A client of one server, made to live long and to be shared: thread-safe, reconnects by itself. What it repeats is safe by the tasks' ids, which it makes where
/// they are not given.
/// </summary>
/// <remarks>
/// A call that the server refuses ends with the <see cref="RpcException"/> of gRPC: its status names the fields and the reason, and <c>GetRpcStatus()</c> of
/// Grpc.StatusProto has them as <c>google.rpc</c> details. How a task ends is no exception, but in its <see cref="TaskInfo"/>.
/// </remarks>
public sealed class GrpcPoolClient : IDisposable, IAsyncDisposable
{
    private const string Json = "application/json";

    private readonly GrpcChannel? _channel;
    private readonly PoolLink _link;

    /// <summary>Makes a client. It connects with its first call.</summary>
    /// <param name="options">Where the server is, and how to deal with it.</param>
    /// <param name="time">The clock of pauses and limits; the system's if null.</param>
    /// <param name="logs">Where the transport logs; nowhere if null.</param>
    /// <exception cref="OptionsValidationException">An option breaks its rule; all that do are named.</exception>
    public GrpcPoolClient(GrpcPoolClientOptions options, TimeProvider? time = null, ILoggerFactory? logs = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        OptionsCheck.ThrowIfInvalid(options);
        _channel = PoolChannel.Open(options, logs);
        Invoker = PoolChannel.Identified(_channel.CreateCallInvoker(), options);
        _link = new PoolLink(new TaskPoolService.TaskPoolServiceClient(Invoker), options, time ?? TimeProvider.System);
    }

    /// <summary>A client without a connection of its own.</summary>
    internal GrpcPoolClient(CallInvoker calls, TimeProvider time)
    {
        Invoker = calls;
        _link = new PoolLink(new TaskPoolService.TaskPoolServiceClient(calls), new GrpcPoolClientOptions(), time);
    }

    /// <summary>The stub of the contract, for all that this class does not have. Its calls bear token and namespace, and are not repeated.</summary>
    public TaskPoolService.TaskPoolServiceClient Service => _link.Service;

    /// <summary>What stubs of the server's other services are made from, such as that of <c>grpc.health.v1</c>. Its calls bear token and namespace.</summary>
    public CallInvoker Invoker { get; }

    /// <summary>Submits a task. Repeated for <see cref="GrpcPoolClientOptions.RetryFor"/> while the server is out of reach or its queue is full.</summary>
    /// <param name="task">The task; not to be changed meanwhile. Where it has no id, the handle has the one that was made.</param>
    /// <param name="cancellationToken">Ends the call; whether the task was accepted is then not known.</param>
    /// <returns>The handle of the accepted task; of the live one where the server answers that for its unique key.</returns>
    /// <exception cref="RpcException">The server refused the task or stayed out of reach.</exception>
    public async Task<TaskHandle> SubmitAsync(TaskSpec task, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(task);
        var request = new SubmitRequest { Task = _link.WithId(task) };
        SubmitResponse response = await _link.CallAsync(options => Service.SubmitAsync(request, options).ResponseAsync, cancellationToken).ConfigureAwait(false);
        return GetTask(IdOf(response.Task, request.Task));
    }

    /// <summary>Submits a task whose payload is JSON, as the other overload does.</summary>
    /// <typeparam name="TPayload">What the payload is.</typeparam>
    /// <param name="task">The task but for its payload and content type.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="type">How the payload is written, from a <c>JsonSerializerContext</c>.</param>
    /// <param name="cancellationToken">Ends the call; whether the task was accepted is then not known.</param>
    /// <returns>The handle of the accepted task.</returns>
    /// <exception cref="RpcException">The server refused the task or stayed out of reach.</exception>
    public Task<TaskHandle> SubmitAsync<TPayload>(TaskSpec task, TPayload payload, JsonTypeInfo<TPayload> type, CancellationToken cancellationToken = default)
    {
        ByteString bytes = UnsafeByteOperations.UnsafeWrap(JsonSerializer.SerializeToUtf8Bytes(payload, type));
        return SubmitAsync(new TaskSpec(task) { Payload = bytes, ContentType = Json }, cancellationToken);
    }

    /// <summary>
    /// Submits tasks in one call, which is repeated as a single submission is. A task that a full queue refuses is not: its outcome says so at once.
    /// </summary>
    /// <param name="tasks">1 to 10,000 tasks that fit into one message of 4 MiB; not to be changed meanwhile.</param>
    /// <param name="atomic">Whether all or none are accepted.</param>
    /// <param name="cancellationToken">Ends the call; which tasks were accepted is then not known.</param>
    /// <returns>The outcomes, in the order of the tasks.</returns>
    /// <exception cref="RpcException">The server refused the call as a whole or stayed out of reach.</exception>
    public async Task<IReadOnlyList<SubmitOutcome>> SubmitBatchAsync(IEnumerable<TaskSpec> tasks, bool atomic = false, CancellationToken cancellationToken = default)
    {
        var request = new SubmitBatchRequest { Atomic = atomic, Tasks = { tasks.Select(_link.WithId) } };
        SubmitBatchResponse response = await _link.CallAsync(SubmitAsync, cancellationToken).ConfigureAwait(false);
        return [.. response.Results.Select((result, i) => new SubmitOutcome(i, IdOf(result.Task, request.Tasks[i]), result.Created, result.Error))];

        async Task<SubmitBatchResponse> SubmitAsync(CallOptions options)
        {
            SubmitBatchResponse response = await Service.SubmitBatchAsync(request, options).ConfigureAwait(false);
            bool closing = response.Results.Any(static result => result.Error?.Code == (int)StatusCode.Unavailable);
            return closing ? throw new RpcException(new Status(StatusCode.Unavailable, "the server shut down amid the batch")) : response;
        }
    }

    /// <summary>
    /// Submits tasks without end, pipelined: the fastest way in. Over broken connections it goes on with what was not answered; a task that a full queue refuses is
    /// sent again when the server says, both for <see cref="GrpcPoolClientOptions.RetryFor"/>.
    /// </summary>
    /// <param name="tasks">The tasks; read as fast as they are accepted and their outcomes are taken, at most 4,000 ahead. Not to be changed meanwhile.</param>
    /// <param name="cancellationToken">Ends the submission, as leaving the sequence early does; which of the tasks read so far were accepted is then not known.</param>
    /// <returns>One outcome per task, in the order of the decisions.</returns>
    /// <exception cref="RpcException">The server stayed out of reach, or refused the stream as a whole.</exception>
    public IAsyncEnumerable<SubmitOutcome> SubmitManyAsync(IAsyncEnumerable<TaskSpec> tasks, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        return BulkSubmission.RunAsync(_link, tasks, cancellationToken);
    }

    /// <summary>The handle of a task that was submitted before, by anybody. Asks nobody whether there is one.</summary>
    /// <param name="id">The task's id.</param>
    public TaskHandle GetTask(string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return new TaskHandle(_link, id);
    }

    /// <summary>
    /// Follows the tasks that match a filter: a snapshot of them, SYNCED, then what happens, without a gap over cut connections and restarts, until it is cancelled
    /// or the server stays out of reach for longer than <see cref="GrpcPoolClientOptions.ReconnectFor"/>. Where the server cannot go on from where the watch was,
    /// it starts anew with a snapshot, whose first event is <see cref="TaskEvent.Restarted"/>.
    /// </summary>
    /// <param name="filter">Which tasks; an empty one for all of the namespace. Its states restrict only the snapshot.</param>
    /// <param name="view">How much of a task the events carry.</param>
    /// <param name="afterRevision">Watch on after this <see cref="TaskEvent.Revision"/>, without a snapshot; 0 for a snapshot.</param>
    /// <param name="skipSnapshot">Whether to begin with what happens from now on.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <exception cref="RpcException">The server refused the watch or stayed out of reach.</exception>
    public IAsyncEnumerable<TaskEvent> WatchAsync(
        TaskFilter filter, TaskView view = TaskView.Basic, long afterRevision = 0, bool skipSnapshot = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        var request = new WatchRequest { Filter = filter, View = view, AfterRevision = afterRevision, SkipSnapshot = skipSnapshot };
        return ResumingWatch.ReadAsync(_link, request, cancellationToken);
    }

    /// <summary>The id of what was accepted, which is another task where that has the unique key.</summary>
    private static string IdOf(TaskInfo? accepted, TaskSpec task) => accepted is { Id.Length: > 0 } ? accepted.Id : task.Id;

    /// <summary>Closes the connections. Calls under way end with an error; tasks go on.</summary>
    public void Dispose() => _channel?.Dispose();

    /// <summary>Closes the connections, as <see cref="Dispose"/> does.</summary>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
