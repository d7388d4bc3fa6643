using System.Collections.Frozen;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace GrpcPool.Server.Hosting;

/// <summary>
/// What the server knows of its own calls, and ASP.NET would find out for each anew: the endpoint of a path, for which the matcher of routes would cut it into pieces,
/// and that no service has a scope. Whatever is not found here is routed as ever.
/// </summary>
internal sealed class DirectRoutes(WebApplication app) : IServiceProvidersFeature
{
    /// <summary>Made at the first call, when everything is mapped.</summary>
    private readonly Lazy<FrozenDictionary<string, Endpoint>> _calls = new(() => Find(app));

    IServiceProvider IServiceProvidersFeature.RequestServices
    {
        get => app.Services;
        set => throw new NotSupportedException("the services are those of the host");
    }

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        context.Features.Set<IServiceProvidersFeature>(this);
        if (HttpMethods.IsPost(context.Request.Method) && _calls.Value.TryGetValue(context.Request.Path.Value ?? "", out Endpoint? call))
            context.SetEndpoint(call);
        return next(context);
    }

    private static FrozenDictionary<string, Endpoint> Find(IEndpointRouteBuilder routes) => routes.DataSources
        .SelectMany(static source => source.Endpoints).OfType<RouteEndpoint>()
        .Where(static endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>() is not null && endpoint.RoutePattern.Parameters.Count == 0)
        .GroupBy(static endpoint => endpoint.RoutePattern.RawText ?? "")
        .ToFrozenDictionary(static same => same.Key, static Endpoint (same) => same.MinBy(static endpoint => endpoint.Order)!);
}
