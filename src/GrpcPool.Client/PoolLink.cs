using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Client;

/// <summary>The server as the parts of the client see it.</summary>
internal sealed record PoolLink(TaskPoolService.TaskPoolServiceClient Service, GrpcPoolClientOptions Options, TimeProvider Time)
{
    /// <summary>The task with an id, so that submitting it again is harmless.</summary>
    public TaskSpec WithId(TaskSpec task) => task.Id.Length > 0 ? task : new TaskSpec(task) { Id = Guid.CreateVersion7(Time.GetUtcNow()).ToString() };

    /// <summary>Makes a call that is harmless to repeat, and repeats it as long as <paramref name="patience"/> allows.</summary>
    /// <param name="call">The call.</param>
    /// <param name="patience">How long to go on.</param>
    /// <param name="silence">After what time without an answer an attempt is given up.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<TResponse> CallAsync<TResponse>(
        Func<CallOptions, Task<TResponse>> call, Patience patience, TimeSpan silence, CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            using var late = new CancellationTokenSource(silence, Time);
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation, late.Token);
            TimeSpan pause;
            try
            {
                return await call(new CallOptions(cancellationToken: ending.Token)).ConfigureAwait(false);
            }
            catch (RpcException error) when (cancellation.IsCancellationRequested)
            {
                throw new OperationCanceledException(error.Message, error, cancellation);
            }
            catch (RpcException error) when (patience.Allows(error, out pause))
            {
            }

            await Task.Delay(pause, Time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The same, for as long as calls are repeated.</summary>
    public Task<TResponse> CallAsync<TResponse>(Func<CallOptions, Task<TResponse>> call, CancellationToken cancellation) =>
        CallAsync(call, new Patience(Options.RetryFor, Time), Timeout.InfiniteTimeSpan, cancellation);
}
