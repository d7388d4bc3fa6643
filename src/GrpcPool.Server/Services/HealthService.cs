using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Health.V1;
using GrpcPool.Core.Execution;
using GrpcPool.V1;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace GrpcPool.Server.Services;

/// <summary>
/// The standard health service, for the server ("") and for each of its services. Its watches end when the server drains: one that stayed open would hold up the
/// shutdown.
/// </summary>
[BindServiceMethod(typeof(ServiceMethods<HealthService>), nameof(ServiceMethods<HealthService>.BindNothing))]
internal sealed class HealthService(TaskPool pool) : Health.HealthBase, IGrpcService<HealthService>
{
    /// <summary>How much of a name is told that is none.</summary>
    private const int NameCharactersMax = 100;

    private static readonly HashSet<string> Services =
        ["", TaskPoolService.Descriptor.FullName, WorkerService.Descriptor.FullName, ScheduleService.Descriptor.FullName, PoolAdminService.Descriptor.FullName, Health.Descriptor.FullName];

    static ServiceDescriptor IGrpcService<HealthService>.Descriptor => Health.Descriptor;

    public static void Map(MethodMap<HealthService> methods)
    {
        methods.Unary(nameof(Check), HealthCheckRequest.Parser, static (service, request, call) => service.Check(request, call));
        methods.ServerStreaming<HealthCheckRequest, HealthCheckResponse>(nameof(Watch), HealthCheckRequest.Parser, static (service, request, responses, call) => service.Watch(request, responses, call));
    }

    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context) => Services.Contains(request.Service)
        ? Task.FromResult(new HealthCheckResponse { Status = StatusOf(request.Service) })
        : throw new RpcException(new Status(StatusCode.NotFound, $"no service is called '{Core.Tasks.Failure.Head(request.Service, NameCharactersMax)}'"));

    public override async Task Watch(HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, pool.Draining);
        ServingStatus? told = null;
        do
        {
            Task changed = pool.ReadinessChanged;
            await TellAsync().ConfigureAwait(false);
            await changed.WaitAsync(ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        while (!ending.IsCancellationRequested);
        await TellAsync().ConfigureAwait(false);

        async Task TellAsync()
        {
            ServingStatus status = StatusOf(request.Service);
            if (status == told)
                return;
            told = status;
            await responseStream.WriteAsync(new HealthCheckResponse { Status = status }, context.CancellationToken).ConfigureAwait(false);
        }
    }

    private ServingStatus StatusOf(string service) =>
        !Services.Contains(service) ? ServingStatus.ServiceUnknown : pool.NotReady is null ? ServingStatus.Serving : ServingStatus.NotServing;
}
