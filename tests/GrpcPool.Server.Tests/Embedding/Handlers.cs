using System.Text.Json.Serialization;
using System.Threading.Channels;
using GrpcPool.Core.Handlers;

namespace GrpcPool.Server.Tests.Embedding;

/// <summary>A dependency that lives for one scope, and says when it is disposed of.</summary>
internal sealed class Repository(Disposals disposals) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => disposals.Told.Writer.WriteAsync(this);
}

/// <summary>What has been disposed of.</summary>
internal sealed class Disposals
{
    public Channel<Repository> Told { get; } = Channel.CreateUnbounded<Repository>();
}

/// <summary>What a test sees of the attempts of its handlers, and when it lets them go on.</summary>
internal sealed class Attempts
{
    public Channel<(object Handler, Repository Repository, CancellationToken Stopping)> Started { get; } = Channel.CreateUnbounded<(object, Repository, CancellationToken)>();

    public TaskCompletionSource Go { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>Reports progress, and ends when the test lets it or when it is asked to stop.</summary>
internal sealed class WaitingHandler(Repository repository, Attempts attempts) : ITaskHandler
{
    public async ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping)
    {
        context.ReportProgress(0.5, "half");
        await attempts.Started.Writer.WriteAsync((this, repository, stopping), CancellationToken.None);
        await attempts.Go.Task.WaitAsync(stopping);
        return TaskOutcome.Succeeded(context.Payload, context.ContentType);
    }
}

internal sealed class ThrowingHandler(Repository repository) : ITaskHandler
{
    public ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping) => throw new InvalidOperationException($"broken {repository.GetType().Name}");
}

internal sealed record Numbers(int A, int B);

internal sealed record Quotient(int Value);

internal sealed class DivideHandler() : TaskHandler<Numbers>(TestJson.Default.Numbers)
{
    protected override ValueTask<TaskOutcome> RunAsync(Numbers payload, TaskContext context, CancellationToken stopping) => ValueTask.FromResult(
        payload.B == 0 ? TaskOutcome.Failed("there is no quotient") : TaskOutcome.Succeeded(new Quotient(payload.A / payload.B), TestJson.Default.Quotient));
}

[JsonSourceGenerationOptions(RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Numbers))]
[JsonSerializable(typeof(Quotient))]
internal sealed partial class TestJson : JsonSerializerContext;
