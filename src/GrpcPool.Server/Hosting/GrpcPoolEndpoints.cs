using GrpcPool.Server.Services;
using Microsoft.AspNetCore.Routing;

// Where the methods of this sort are looked for, and where every ASP.NET application has its usings already.
namespace Microsoft.AspNetCore.Builder;

/// <summary>Lets a host answer the calls of its pool.</summary>
public static class GrpcPoolEndpointRouteBuilderExtensions
{
    /// <summary>Maps the pool's services and <c>grpc.health.v1</c>. A listener without TLS must be for HTTP/2 alone.</summary>
    /// <param name="endpoints">The host's endpoints.</param>
    /// <param name="health">Whether <c>grpc.health.v1</c> is mapped; false for a host that has a health service of its own. True by default.</param>
    /// <returns>Conventions for these endpoints, such as <c>RequireAuthorization()</c>, <c>RequireHost(…)</c> or, after <c>UseGrpcWeb()</c>, <c>EnableGrpcWeb()</c>.</returns>
    public static IEndpointConventionBuilder MapGrpcPool(this IEndpointRouteBuilder endpoints, bool health = true)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        RouteGroupBuilder pool = endpoints.MapGroup("");
        pool.MapGrpcService<TaskPoolGrpcService>().Add(MemoryGate.Guard);
        pool.MapGrpcService<WorkerGrpcService>();
        pool.MapGrpcService<ScheduleGrpcService>();
        pool.MapGrpcService<PoolAdminGrpcService>();
        if (health)
            pool.MapGrpcService<HealthService>();
        return pool;
    }
}
