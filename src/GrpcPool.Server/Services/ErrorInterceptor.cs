using Grpc.Core;
using Grpc.Core.Interceptors;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Watching;
using GrpcPool.Core.Workers;
using GrpcPool.Server.Observability;
using Microsoft.Extensions.Logging;
using Log = GrpcPool.Server.Hosting.Log;

namespace GrpcPool.Server.Services;

/// <summary>Turns whatever ends a call into its status, and measures the call. The pool's services throw no <see cref="RpcException"/> of their own.</summary>
internal sealed class ErrorInterceptor(GrpcPoolOptions options, CallMeter meter, ILogger<ErrorInterceptor> log) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        MeteredCall call = meter.Begin(context);
        try
        {
            TResponse response = await continuation(request, context).ConfigureAwait(false);
            meter.End(call, context, StatusCode.OK);
            return response;
        }
        catch (Exception fault) when (fault is not RpcException)
        {
            throw End(call, ToRpcException(fault, context), context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        MeteredCall call = meter.Begin(context);
        try
        {
            await continuation(request, responseStream, context).ConfigureAwait(false);
            meter.End(call, context, StatusCode.OK);
        }
        catch (Exception fault) when (fault is not RpcException)
        {
            throw End(call, ToRpcException(fault, context), context);
        }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        MeteredCall call = meter.Begin(context);
        try
        {
            await continuation(requestStream, responseStream, context).ConfigureAwait(false);
            meter.End(call, context, StatusCode.OK);
        }
        catch (Exception fault) when (fault is not RpcException)
        {
            throw End(call, ToRpcException(fault, context), context);
        }
    }

    private RpcException End(MeteredCall call, RpcException told, ServerCallContext context)
    {
        meter.End(call, context, told.StatusCode);
        return told;
    }

    private RpcException ToRpcException(Exception fault, ServerCallContext context)
    {
        switch (fault)
        {
            case PoolErrorException expected:
                return ErrorTable.ToStatus(expected.Error).ToRpcException();
            case WatchException watch:
                return ErrorTable.ToStatus(ErrorTable.Of(watch, options)).ToRpcException();
            case WorkerException worker:
                return ErrorTable.ToStatus(ErrorTable.Of(worker)).ToRpcException();
            case PoolClosedException:
                return ErrorTable.ToStatus(new PoolError.Draining()).ToRpcException();
            case StorageException storage:
                Log.StoreRefused(log, context.Method, storage.Fault, storage.Message);
                return ErrorTable.ToStatus(new PoolError.Storage(storage.Fault, storage.Message)).ToRpcException();
            case not null when context.CancellationToken.IsCancellationRequested:
                bool late = context.Deadline <= TimeProvider.System.GetUtcNow().UtcDateTime;
                return new RpcException(late ? new Status(StatusCode.DeadlineExceeded, "the call's deadline has passed") : new Status(StatusCode.Cancelled, "the call was given up"));
            case IOException:
                // The transport notices before the call does.
                return new RpcException(new Status(StatusCode.Cancelled, "the caller's connection has ended"));
            default:
                Log.CallFailed(log, context.Method, fault!);
                return new RpcException(new Status(StatusCode.Internal, "a fault of the server, whose log says more"));
        }
    }
}
