using Microsoft.Extensions.DependencyInjection;

namespace GrpcPool.Client.Workers;

/// <summary>Runs each attempt by a handler out of a scope of its own, which is disposed of when the handler has returned.</summary>
internal sealed class ScopedWorkHandler<THandler>(IServiceScopeFactory scopes) : IWorkHandler
    where THandler : class, IWorkHandler
{
    public async ValueTask<WorkOutcome> RunAsync(WorkContext context, CancellationToken stopping)
    {
        AsyncServiceScope scope = scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
            return await scope.ServiceProvider.GetRequiredService<THandler>().RunAsync(context, stopping).ConfigureAwait(false);
    }
}
