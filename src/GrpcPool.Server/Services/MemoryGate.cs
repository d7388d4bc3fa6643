using Grpc.AspNetCore.Server;
using GrpcPool.Core.Execution;
using GrpcPool.Server.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcPool.Server.Services;

/// <summary>While memory is short, submissions are refused before their messages are made objects: those would take more of it.</summary>
internal static class MemoryGate
{
    /// <summary>Stands before the methods of an endpoint that bring new work.</summary>
    public static void Guard(EndpointBuilder endpoint)
    {
        if (endpoint.Metadata.OfType<GrpcMethodMetadata>().FirstOrDefault()?.Method.Name.StartsWith("Submit", StringComparison.Ordinal) != true
            || endpoint.RequestDelegate is not { } next)
            return;
        MemoryGuard memory = endpoint.ApplicationServices.GetRequiredService<MemoryGuard>();
        endpoint.RequestDelegate = context => memory.IsShort ? Refusal.WriteAfterMessageAsync(context, new PoolError.MemoryShort()) : next(context);
    }
}
