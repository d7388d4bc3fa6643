using GrpcPool.Core.Execution;
using GrpcPool.Core.Workers.Processes;
using Microsoft.Extensions.Hosting;

namespace GrpcPool.Core.Hosting;

/// <summary>Opens the pool before the host begins to listen, and drains it before the host stops listening. Its worker processes come after, and end with it.</summary>
internal sealed class PoolLifetime(TaskPool pool, Supervisor processes, MemoryGuard memory) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        memory.Start();
        return pool.StartAsync(cancellationToken);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        processes.Start();
        return Task.CompletedTask;
    }

    /// <summary>The host's own patience bounds a drain that anything else would hold up for ever.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await processes.StopAsync().ConfigureAwait(false);
        try
        {
            await pool.DrainAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await processes.EndAsync().ConfigureAwait(false);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
