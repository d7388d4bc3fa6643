using Grpc.AspNetCore.Server;
using Grpc.AspNetCore.Server.Model;
using GrpcPool.Server.Observability;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcPool.Server.Services;

/// <summary>The pool's own gRPC services, with rules that hold for no other service of the host.</summary>
internal static class PoolGrpcServices
{
    /// <summary>The largest message taken. Never lifted: a megabyte of gzip can become ten gigabytes.</summary>
    public const int ReceiveBytesMax = 4 << 20;

    public static void AddPoolServices(this IServiceCollection services)
    {
        if (services.Any(static service => service.ServiceType == typeof(TaskPoolGrpcService)))
            return;
        services.AddSingleton<WriteDeadline>();
        services.AddSingleton<WatchStreams>();
        services.AddSingleton<LogStreams>();
        services.AddSingleton<PoolStreams>();
        services.AddSingleton<TaskPoolGrpcService>();
        services.AddSingleton<WorkerStreams>();
        services.AddSingleton<WorkerGrpcService>();
        services.AddSingleton<ScheduleGrpcService>();
        services.AddSingleton<PoolAdminGrpcService>();
        services.AddSingleton<HealthService>();
        services.AddSingleton<CallMeter>();
        services.AddSingleton<ErrorInterceptor>();
        services.AddSingleton<PackedCalls>();
        services.AddSingleton<IServiceMethodProvider<PackedCalls>, PackedMethods>();
        services.AddGrpc().AddServiceOptions<PackedCalls>(static service => service.MaxReceiveMessageSize = ReceiveBytesMax).AddPoolService<TaskPoolGrpcService>().AddPoolService<WorkerGrpcService>().AddPoolService<ScheduleGrpcService>().AddPoolService<PoolAdminGrpcService>().AddPoolService<HealthService>();
    }

    /// <summary>Lets the pool's rules hold for a service.</summary>
    public static IGrpcServerBuilder AddPoolService<TService>(this IGrpcServerBuilder grpc)
        where TService : class => grpc.AddServiceOptions<TService>(static service =>
        {
            service.MaxReceiveMessageSize = ReceiveBytesMax;
            service.Interceptors.Add<ErrorInterceptor>();
        });
}
