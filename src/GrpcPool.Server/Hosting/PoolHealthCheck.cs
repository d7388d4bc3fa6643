using GrpcPool.Core.Execution;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace GrpcPool.Server.Hosting;

/// <summary>Whether the pool takes tasks.</summary>
internal sealed class PoolHealthCheck(TaskPool pool) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(pool.NotReady is { } reason ? new HealthCheckResult(context.Registration.FailureStatus, reason) : HealthCheckResult.Healthy());
}
