namespace GrpcPool.Core.Handlers;

/// <summary>The built-in kind <c>echo</c>: returns the payload and its media type.</summary>
internal sealed class EchoHandler : ITaskHandler
{
    public ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping) =>
        ValueTask.FromResult(TaskOutcome.Succeeded(context.Payload, context.ContentType));
}
