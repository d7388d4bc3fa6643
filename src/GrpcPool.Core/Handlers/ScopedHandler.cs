using Microsoft.Extensions.DependencyInjection;

namespace GrpcPool.Core.Handlers;

/// <summary>Runs each attempt by a handler out of a scope of its own, which is disposed of when the handler has returned.</summary>
internal sealed class ScopedHandler<THandler>(IServiceScopeFactory scopes) : ITaskHandler
    where THandler : class, ITaskHandler
{
    public async ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping)
    {
        AsyncServiceScope scope = scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
            return await scope.ServiceProvider.GetRequiredService<THandler>().RunAsync(context, stopping).ConfigureAwait(false);
    }
}
