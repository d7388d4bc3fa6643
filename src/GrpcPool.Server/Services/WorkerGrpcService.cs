using Google.Protobuf.Reflection;
using Grpc.Core;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Workers;
using GrpcPool.V1;

namespace GrpcPool.Server.Services;

/// <summary>The pool's contract for whoever executes tasks. Holds no state: a worker's is in its session.</summary>
[BindServiceMethod(typeof(ServiceMethods<WorkerGrpcService>), nameof(ServiceMethods<WorkerGrpcService>.BindNothing))]
internal sealed class WorkerGrpcService(TaskPool pool, WorkerStreams streams) : WorkerService.WorkerServiceBase, IGrpcService<WorkerGrpcService>
{
    static ServiceDescriptor IGrpcService<WorkerGrpcService>.Descriptor => WorkerService.Descriptor;

    public static void Map(MethodMap<WorkerGrpcService> methods)
    {
        methods.DuplexStreaming<ConnectRequest, PackedResponse>(nameof(Connect), ConnectRequest.Parser, PackedResponse.Write, static (service, requests, responses, call) => service.ConnectAsync(requests, responses, call));
    }

    private async Task ConnectAsync(IAsyncStreamReader<ConnectRequest> requestStream, IServerStreamWriter<PackedResponse> responseStream, ServerCallContext context)
    {
        Hello hello = await ReadHelloAsync(requestStream, context).ConfigureAwait(false);
        CheckScope(hello, context);
        WorkerHello read = LeaseReader.Read(hello, Caller.Namespace(context)) with { Token = Caller.Name(context) };
        using WorkerStream stream = await pool.Workers.ConnectAsync(read, hello.ResumeWorkerId).ConfigureAwait(false);
        await streams.RunAsync(stream, requestStream, responseStream, context).ConfigureAwait(false);
    }

    /// <summary>Tasks come to a worker by their kinds, from any queue.</summary>
    private static void CheckScope(Hello hello, ServerCallContext context)
    {
        if (Caller.Grant(context) is not { } grant)
            return;
        if (grant.Worker is { } only && hello.WorkerName != only)
            throw new PoolErrorException(new PoolError.Denied("OUTSIDE_SCOPE", $"the token is that of the worker {only} alone: give that name as worker_name"));
        if (grant.Scope is not { } scope)
            return;
        if (scope.Queues is not null)
            throw new PoolErrorException(new PoolError.Denied("CONFINED", $"the token {grant.Name} is confined to queues, and a worker gets its tasks from all: confine it to kinds"));
        if (hello.Kinds.FirstOrDefault(kind => !scope.CoversKind(kind)) is { } kind)
            throw new PoolErrorException(new PoolError.Denied("OUTSIDE_SCOPE", $"the token {grant.Name} may not work for the kind '{kind}'"));
    }

    private async Task<Hello> ReadHelloAsync(IAsyncStreamReader<ConnectRequest> requests, ServerCallContext context)
    {
        using var patience = new CancellationTokenSource(pool.Options.Workers.LeaseDuration, pool.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, context.CancellationToken, pool.Draining);
        try
        {
            if (await requests.MoveNext(either.Token).ConfigureAwait(false) && requests.Current.Hello is { } hello)
                return hello;
        }
        catch (OperationCanceledException) when (pool.Draining.IsCancellationRequested)
        {
            throw new PoolClosedException();
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            throw new WorkerException(WorkerFault.Silent, "the worker has not said hello");
        }

        throw new PoolErrorException(new PoolError.InvalidFields([new FieldViolation("hello", "must be the first message")]));
    }
}
