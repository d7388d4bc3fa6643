using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
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

/// <summary>
/// Turns whatever ends a call into its status, and measures the call. The pool's services throw no <see cref="RpcException"/> of their own: one is of the reading of a stream's messages.
/// </summary>
internal sealed class ErrorInterceptor(GrpcPoolOptions options, CallMeter meter, ILogger<ErrorInterceptor> log) : Interceptor
{
    public async Task<TResponse> UnaryAsync<TService, TRequest, TResponse>(
        TService service, TRequest request, ServerCallContext context, UnaryServerMethod<TService, TRequest, TResponse> method)
        where TService : class
        where TRequest : class
        where TResponse : class
    {
        MeteredCall call = meter.Begin(context);
        try
        {
            TResponse response = await method(service, request, context).ConfigureAwait(false);
            meter.End(call, context, StatusCode.OK);
            return response;
        }
        catch (Exception fault)
        {
            throw End(call, ToRpcException(fault, context), context);
        }
    }

    public async Task ServerStreamingAsync<TService, TRequest, TResponse>(
        TService service, TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TService, TRequest, TResponse> method)
        where TService : class
        where TRequest : class
        where TResponse : class
    {
        MeteredCall call = meter.Begin(context);
        try
        {
            await method(service, request, responseStream, context).ConfigureAwait(false);
            meter.End(call, context, StatusCode.OK);
        }
        catch (Exception fault)
        {
            throw End(call, ToRpcException(fault, context), context);
        }
    }

    public async Task DuplexStreamingAsync<TService, TRequest, TResponse>(
        TService service,
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TService, TRequest, TResponse> method)
        where TService : class
        where TRequest : class
        where TResponse : class
    {
        MeteredCall call = meter.Begin(context);
        try
        {
            await method(service, requestStream, responseStream, context).ConfigureAwait(false);
            meter.End(call, context, StatusCode.OK);
        }
        catch (Exception fault)
        {
            throw End(call, ToRpcException(fault, context), context);
        }
    }

    /// <summary>For services of others, which gRPC binds: those of reflection.</summary>
    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        DuplexStreamingAsync(continuation, requestStream, responseStream, context, static (next, requests, responses, context) => next(requests, responses, context));

    private RpcException End(MeteredCall call, RpcException told, ServerCallContext context)
    {
        meter.End(call, context, told.StatusCode);
        return told;
    }

    private RpcException ToRpcException(Exception fault, ServerCallContext context)
    {
        switch (fault)
        {
            case RpcException told:
                return told;
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
            case InvalidProtocolBufferException or InvalidDataException:
                return ErrorTable.Unreadable(fault).ToRpcException();
            case IOException:
                // The transport notices before the call does.
                return new RpcException(new Status(StatusCode.Cancelled, "the caller's connection has ended"));
            default:
                Log.CallFailed(log, context.Method, fault!);
                return new RpcException(new Status(StatusCode.Internal, "a fault of the server, whose log says more"));
        }
    }
}
