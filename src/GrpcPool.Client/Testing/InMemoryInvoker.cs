using Google.Protobuf;
using Grpc.Core;

namespace GrpcPool.Client.Testing;

/// <summary>Calls of a service in the same process: no server, no socket. Messages are copied on their way, as over a wire.</summary>
internal sealed class InMemoryInvoker : CallInvoker
{
    private readonly MethodTable _methods = new();

    /// <summary>Where the service's methods are bound.</summary>
    public ServiceBinderBase Methods => _methods;

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        AsyncUnaryCall(method, host, options, request).GetAwaiter().GetResult();

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var context = new InMemoryCallContext(method.FullName, options);
        Task<TResponse> response = AnswerAsync();
        return new AsyncUnaryCall<TResponse>(response, NoHeadersAsync(), static () => Status.DefaultSuccess, static () => [], context.Dispose);

        async Task<TResponse> AnswerAsync()
        {
            var answer = _methods.Find<UnaryServerMethod<TRequest, TResponse>>(method);
            try
            {
                return Copy(await answer(Copy(request), context).ConfigureAwait(false));
            }
            catch (Exception fault)
            {
                throw AsStatus(fault);
            }
        }
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var context = new InMemoryCallContext(method.FullName, options);
        var responses = new InMemoryStream<TResponse>();
        var answer = _methods.Find<ServerStreamingServerMethod<TRequest, TResponse>>(method);
        _ = AnswerAsync(() => answer(Copy(request), responses, context), responses);
        return new AsyncServerStreamingCall<TResponse>(responses.ReaderOf(context), NoHeadersAsync(), static () => Status.DefaultSuccess, static () => [], context.Dispose);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var context = new InMemoryCallContext(method.FullName, options);
        (var requests, var responses) = (new InMemoryStream<TRequest>(), new InMemoryStream<TResponse>());
        var answer = _methods.Find<DuplexStreamingServerMethod<TRequest, TResponse>>(method);
        _ = AnswerAsync(() => answer(requests.ReaderOf(context), responses, context), responses);
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(
            requests, responses.ReaderOf(context), NoHeadersAsync(), static () => Status.DefaultSuccess, static () => [], context.Dispose);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) => throw Unimplemented(method.FullName);

    internal static T Copy<T>(T message) => message is IDeepCloneable<T> known ? known.Clone() : message;

    /// <summary>What a caller sees of a fault.</summary>
    internal static RpcException AsStatus(Exception fault) => fault switch
    {
        RpcException error => error,
        OperationCanceledException => new RpcException(new Status(StatusCode.Cancelled, "the call was cancelled", fault)),
        _ => new RpcException(new Status(StatusCode.Unknown, fault.Message, fault)),
    };

    private static async Task AnswerAsync<TResponse>(Func<Task> answer, InMemoryStream<TResponse> responses)
    {
        try
        {
            await answer().ConfigureAwait(false);
            responses.End(null);
        }
#pragma warning disable CA1031 // It ends the call, as its status.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            responses.End(AsStatus(fault));
        }
    }

    private static Task<Metadata> NoHeadersAsync() => Task.FromResult(new Metadata());

    private static RpcException Unimplemented(string method) => new(new Status(StatusCode.Unimplemented, $"the pool in memory does not have {method}"));

    private sealed class MethodTable : ServiceBinderBase
    {
        private readonly Dictionary<string, Delegate> _methods = [];

        public TMethod Find<TMethod>(IMethod method)
            where TMethod : Delegate => _methods.TryGetValue(method.FullName, out Delegate? found) ? (TMethod)found : throw Unimplemented(method.FullName);

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) => Add(method, handler);

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) => Add(method, handler);

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) => Add(method, handler);

        private void Add(IMethod method, Delegate? handler)
        {
            if (handler is not null)
                _methods.Add(method.FullName, handler);
        }
    }
}
