using System.Diagnostics.CodeAnalysis;
using Grpc.AspNetCore.Server.Model;
using GrpcPool.Server.Observability;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcPool.Server.Services;

/// <summary>The pool's own gRPC services, with rules that hold for no other service of the host.</summary>
internal static class PoolGrpcServices
{
    /// <summary>The largest message taken. Never lifted: a megabyte of gzip can become ten gigabytes.</summary>
    public const int ReceiveBytesMax = 4 << 20;

    /// <summary>What gRPC wants to know of a service that it makes.</summary>
    public const DynamicallyAccessedMemberTypes Reflected = DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.PublicMethods | DynamicallyAccessedMemberTypes.NonPublicMethods;

    public static void AddPoolServices(this IServiceCollection services)
    {
        if (services.Any(static service => service.ServiceType == typeof(TaskPoolGrpcService)))
            return;
        services.AddSingleton<WriteDeadline>();
        services.AddSingleton<WatchStreams>();
        services.AddSingleton<LogStreams>();
        services.AddSingleton<PoolStreams>();
        services.AddSingleton<WorkerStreams>();
        services.AddSingleton<CallMeter>();
        services.AddSingleton<ErrorInterceptor>();
        services.AddPoolService<TaskPoolGrpcService>();
        services.AddPoolService<WorkerGrpcService>();
        services.AddPoolService<ScheduleGrpcService>();
        services.AddPoolService<PoolAdminGrpcService>();
        services.AddPoolService<HealthService>();
    }

    private static void AddPoolService<[DynamicallyAccessedMembers(Reflected)] TService>(this IServiceCollection services)
        where TService : class, IGrpcService<TService>
    {
        services.AddSingleton<TService>();
        services.AddSingleton<IServiceMethodProvider<TService>, ServiceMethods<TService>>();
        services.AddGrpc().AddServiceOptions<TService>(static service => service.MaxReceiveMessageSize = ReceiveBytesMax);
    }
}
