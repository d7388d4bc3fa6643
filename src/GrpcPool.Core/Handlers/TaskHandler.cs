using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Handlers;

/// <summary>Runs the tasks of one kind whose payload is JSON. A payload that cannot be read fails the task with <see cref="FailureCode.InvalidPayload"/>, for good.</summary>
/// <typeparam name="TPayload">What the payload is read as.</typeparam>
/// <param name="payloadType">How it is read: a property of a source-generated <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
public abstract class TaskHandler<TPayload>(JsonTypeInfo<TPayload> payloadType) : ITaskHandler
{
    /// <inheritdoc/>
    public ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(context);
        TPayload? payload;
        try
        {
            payload = JsonSerializer.Deserialize(context.Payload.Span, payloadType);
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException)
        {
            // An ArgumentException is what the constructor of the payload's own type refuses.
            return Invalid(fault.Message);
        }

        return payload is null ? Invalid("it is null") : RunAsync(payload, context, stopping);
    }

    /// <summary>Runs one attempt.</summary>
    /// <param name="payload">The payload as read, never null.</param>
    /// <param name="context">The task, and ways to report progress.</param>
    /// <param name="stopping">Fires when the attempt is asked to stop, as in <see cref="ITaskHandler.RunAsync"/>.</param>
    /// <returns>The outcome. An exception counts as a retryable <see cref="FailureCode.HandlerError"/>.</returns>
    protected abstract ValueTask<TaskOutcome> RunAsync(TPayload payload, TaskContext context, CancellationToken stopping);

    private static ValueTask<TaskOutcome> Invalid(string reason) => ValueTask.FromResult(
        TaskOutcome.Failed(new Failure(FailureCode.InvalidPayload, $"the payload cannot be read as {typeof(TPayload).Name}: {reason}", retryable: false)));
}
