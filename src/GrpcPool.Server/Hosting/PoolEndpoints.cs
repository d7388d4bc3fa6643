using Grpc.AspNetCore.Server;
using Grpc.Reflection;
using GrpcPool.Core.Execution;
using GrpcPool.Server.Access;
using GrpcPool.Server.Services;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcPool.Server.Hosting;

/// <summary>What the server answers: gRPC and gRPC-Web on the listeners of the API, probes and metrics on that of operations.</summary>
internal static class PoolEndpoints
{
    /// <summary>Marks the endpoints of the listener of operations.</summary>
    private static readonly Listener OfOps = new(ListenerKind.Ops);

    public static void AddReflection(this IServiceCollection services)
    {
        services.AddRouting();
        services.AddGrpcReflection();
        services.AddGrpc().AddServiceOptions<ReflectionServiceImpl>(HoldRules).AddServiceOptions<ReflectionV1ServiceImpl>(HoldRules);
    }

    public static void MapPoolEndpoints(this WebApplication app, bool scraped)
    {
        app.Use(new DirectRoutes(app).InvokeAsync);
        app.UseRouting();
        app.Use(RefuseWrongListener);
        app.Use(TextBody.InvokeAsync);
        app.UseGrpcWeb(new GrpcWebOptions { DefaultEnabled = true });
        app.Use(new MessageRoom().InvokeAsync);
        if (!app.Services.GetRequiredService<AccessOptions>().IsOpen)
            app.Use(app.Services.GetRequiredService<AccessGate>().InvokeAsync);
        app.MapGrpcPool();
        app.MapGrpcReflectionService();
        app.MapGet("/livez", static context => context.Response.WriteAsync("ok\n")).WithMetadata(OfOps);
        app.MapGet("/readyz", AnswerReadinessAsync).WithMetadata(OfOps);
        if (scraped)
            app.MapPrometheusScrapingEndpoint("/metrics").WithMetadata(OfOps);
    }

    private static void HoldRules(GrpcServiceOptions service)
    {
        service.MaxReceiveMessageSize = PoolGrpcServices.ReceiveBytesMax;
        service.Interceptors.Add<ErrorInterceptor>();
    }

    private static Task AnswerReadinessAsync(HttpContext context)
    {
        string? reason = context.RequestServices.GetRequiredService<TaskPool>().NotReady;
        context.Response.StatusCode = reason is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return context.Response.WriteAsync(reason is null ? "ready\n" : $"not ready: {reason}\n");
    }

    /// <summary>Probes and metrics belong to the listener of operations, and nothing else does.</summary>
    private static Task RefuseWrongListener(HttpContext context, RequestDelegate next)
    {
        bool isOfOps = context.GetEndpoint()?.Metadata.GetMetadata<Listener>() is not null;
        bool isOps = context.Features.Get<Listener>()?.Kind == ListenerKind.Ops;
        if (isOfOps == isOps)
            return next(context);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
