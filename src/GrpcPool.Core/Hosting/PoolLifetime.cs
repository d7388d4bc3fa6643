using GrpcPool.Core.Execution;
using Microsoft.Extensions.Hosting;

namespace GrpcPool.Core.Hosting;

/// <summary>Opens the pool before the host begins to listen, and drains it before the host stops listening.</summary>
internal sealed class PoolLifetime(TaskPool pool) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => pool.StartAsync(cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The host's own patience bounds a drain that a broken store would hold up for ever.</summary>
    public Task StoppingAsync(CancellationToken cancellationToken) => pool.DrainAsync().WaitAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
