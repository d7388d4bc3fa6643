using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.AspNetCore.Routing;

namespace GrpcPool.Server.Services;

/// <summary>A gRPC service that names its methods itself.</summary>
/// <typeparam name="TService">The service.</typeparam>
internal interface IGrpcService<[DynamicallyAccessedMembers(PoolGrpcServices.Reflected)] TService>
    where TService : class, IGrpcService<TService>
{
    /// <summary>Its contract.</summary>
    static abstract ServiceDescriptor Descriptor { get; }

    /// <summary>Adds each of its methods.</summary>
    static abstract void Map(MethodMap<TService> methods);
}

/// <summary>
/// Tells gRPC of a service's methods by calls whose types are known when the server is compiled. The generated <c>BindService</c> has them built at the start, one by one:
/// that was two fifths of all that a native server does before its first call.
/// </summary>
internal sealed class ServiceMethods<[DynamicallyAccessedMembers(PoolGrpcServices.Reflected)] TService>(ErrorInterceptor errors) : IServiceMethodProvider<TService>
    where TService : class, IGrpcService<TService>
{
    /// <summary>Reflection looks for the contract where <see cref="BindNothing"/> is.</summary>
    public static ServiceDescriptor Descriptor => TService.Descriptor;

    /// <summary>Takes the place of the generated <c>BindService</c>.</summary>
    public static void BindNothing(ServiceBinderBase binder, TService service)
    {
    }

    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<TService> context) => TService.Map(new MethodMap<TService>(context, errors));
}

/// <summary>Takes a service's methods, and puts the rules for errors around each: a pipeline of interceptors costs as much again.</summary>
internal sealed class MethodMap<[DynamicallyAccessedMembers(PoolGrpcServices.Reflected)] TService>(ServiceMethodProviderContext<TService> context, ErrorInterceptor errors)
    where TService : class, IGrpcService<TService>
{
    private static readonly object[] Metadata = [new HttpMethodMetadata(["POST"], acceptCorsPreflight: true)];

    public void Unary<TRequest, TResponse>(string name, MessageParser<TRequest> parser, UnaryServerMethod<TService, TRequest, TResponse> call)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse> => Unary(name, parser, Write, call);

    /// <summary>A method whose answers need not be messages.</summary>
    public void Unary<TRequest, TResponse>(string name, MessageParser<TRequest> parser, Action<TResponse, SerializationContext> write, UnaryServerMethod<TService, TRequest, TResponse> call)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class =>
        context.AddUnaryMethod(Method(MethodType.Unary, name, parser, write), Metadata, (service, request, context) => errors.UnaryAsync(service, request, context, call));

    public void ServerStreaming<TRequest, TResponse>(string name, MessageParser<TRequest> parser, ServerStreamingServerMethod<TService, TRequest, TResponse> call)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse> => ServerStreaming(name, parser, Write, call);

    /// <summary>A method whose answers need not be messages.</summary>
    public void ServerStreaming<TRequest, TResponse>(string name, MessageParser<TRequest> parser, Action<TResponse, SerializationContext> write, ServerStreamingServerMethod<TService, TRequest, TResponse> call)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class =>
        context.AddServerStreamingMethod(Method(MethodType.ServerStreaming, name, parser, write), Metadata, (service, request, responses, context) => errors.ServerStreamingAsync(service, request, responses, context, call));

    public void DuplexStreaming<TRequest, TResponse>(string name, MessageParser<TRequest> parser, DuplexStreamingServerMethod<TService, TRequest, TResponse> call)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse> => DuplexStreaming(name, parser, Write, call);

    /// <summary>A method whose answers need not be messages.</summary>
    public void DuplexStreaming<TRequest, TResponse>(string name, MessageParser<TRequest> parser, Action<TResponse, SerializationContext> write, DuplexStreamingServerMethod<TService, TRequest, TResponse> call)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class =>
        context.AddDuplexStreamingMethod(Method(MethodType.DuplexStreaming, name, parser, write), Metadata, (service, requests, responses, context) => errors.DuplexStreamingAsync(service, requests, responses, context, call));

    private static Method<TRequest, TResponse> Method<TRequest, TResponse>(MethodType type, string name, MessageParser<TRequest> parser, Action<TResponse, SerializationContext> write)
        where TRequest : IMessage<TRequest> => new(
            type,
            TService.Descriptor.FullName,
            name,
            Marshallers.Create(static (_, _) => throw new NotSupportedException("the server writes no requests"), context => Read(parser, context)),
            Marshallers.Create(write, static _ => throw new NotSupportedException("the server reads no answers")));

    /// <summary>Messages are read before anything of ours is called, so that bytes which make none must be answered here.</summary>
    private static TRequest Read<TRequest>(MessageParser<TRequest> parser, DeserializationContext context)
        where TRequest : IMessage<TRequest>
    {
        try
        {
            return parser.ParseFrom(context.PayloadAsReadOnlySequence());
        }
        catch (InvalidProtocolBufferException fault)
        {
            throw ErrorTable.Unreadable(fault).ToRpcException();
        }
    }

    private static void Write<TResponse>(TResponse answer, SerializationContext context)
        where TResponse : IMessage<TResponse>
    {
        context.SetPayloadLength(answer.CalculateSize());
        answer.WriteTo(context.GetBufferWriter());
        context.Complete();
    }
}
