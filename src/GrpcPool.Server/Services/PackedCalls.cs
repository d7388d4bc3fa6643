using System.Buffers;
using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;
using GrpcPool.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace GrpcPool.Server.Services;

/// <summary>A <see cref="WatchResponse"/> whose events are serialised already.</summary>
internal sealed record PackedWatchResponse(IReadOnlyList<byte[]> Events, long Revision)
{
    private const uint EventsTag = (WatchResponse.EventsFieldNumber << 3) | (uint)WireFormat.WireType.LengthDelimited;

    public void WriteTo(SerializationContext context)
    {
        var rest = new WatchResponse { Revision = Revision };
        int size = rest.CalculateSize() + Events.Sum(static told => CodedOutputStream.ComputeTagSize(WatchResponse.EventsFieldNumber) + CodedOutputStream.ComputeLengthSize(told.Length) + told.Length);
        context.SetPayloadLength(size);
        IBufferWriter<byte> writer = context.GetBufferWriter();
        foreach (byte[] told in Events)
        {
            WriteNumber(writer, EventsTag);
            WriteNumber(writer, (uint)told.Length);
            writer.Write(told);
        }

        rest.WriteTo(writer);
        context.Complete();
    }

    private static void WriteNumber(IBufferWriter<byte> writer, uint number)
    {
        Span<byte> span = writer.GetSpan(5);
        int length = 0;
        for (; number > 0x7F; number >>= 7)
            span[length++] = (byte)(number | 0x80);
        span[length++] = (byte)number;
        writer.Advance(length);
    }
}

/// <summary>
/// The two calls of <see cref="TaskPoolService"/> that are made most, with answers that are serialised already: the generated calls would make messages of many small
/// objects, Watch anew for each watcher, and a pipeline of interceptors costs them as much again. Each has the route of the generated one and goes before it.
/// </summary>
internal sealed class PackedCalls
{
    private readonly TaskPool _pool;
    private readonly ErrorInterceptor _errors;
    private readonly UnaryServerMethod<SubmitRequest, byte[]> _submit;
    private readonly ServerStreamingServerMethod<WatchRequest, PackedWatchResponse> _watch;

    public PackedCalls(TaskPool pool, WatchStreams streams, ErrorInterceptor errors)
    {
        (_pool, _errors, _submit) = (pool, errors, SubmitOneAsync);
        _watch = (request, stream, context) => streams.WatchAsync(request, stream, Caller.Namespace(context), context);
    }

    public Task<byte[]> SubmitAsync(SubmitRequest request, ServerCallContext context) => _errors.UnaryServerHandler(request, context, _submit);

    public Task WatchAsync(WatchRequest request, IServerStreamWriter<PackedWatchResponse> stream, ServerCallContext context) =>
        _errors.ServerStreamingServerHandler(request, stream, context, _watch);

    /// <summary>Both calls of a route are mapped; the packed one goes first. What answers for unknown methods does not.</summary>
    public static void GoFirst(EndpointBuilder endpoint)
    {
        if (endpoint is RouteEndpointBuilder route && route.RoutePattern.Parameters.Count == 0)
            route.Order = -1;
    }

    private async Task<byte[]> SubmitOneAsync(SubmitRequest request, ServerCallContext context)
    {
        NewTask task = Submissions.Read(_pool, request.Task, Caller.Namespace(context), context);
        SubmitResult[] results = await _pool.SubmitAsync([task], atomic: false, WhenFull.AsTheQueueSays, context.CancellationToken).ConfigureAwait(false);
        SubmitResult accepted = Submissions.Accepted(_pool, task, results[0]);
        return Packing.ToAnswer(_pool.View(accepted.Task!), accepted.Verdict == SubmitVerdict.Created);
    }
}

/// <summary>Tells gRPC of <see cref="PackedCalls"/>.</summary>
internal sealed class PackedMethods : IServiceMethodProvider<PackedCalls>
{
    private static readonly Method<SubmitRequest, byte[]> Submit = new(
        MethodType.Unary, TaskPoolService.Descriptor.FullName, nameof(TaskPoolService.TaskPoolServiceBase.Submit), Requests(SubmitRequest.Parser), Answers<byte[]>(static (answer, context) => context.Complete(answer)));

    private static readonly Method<WatchRequest, PackedWatchResponse> Watch = new(
        MethodType.ServerStreaming, TaskPoolService.Descriptor.FullName, nameof(TaskPoolService.TaskPoolServiceBase.Watch), Requests(WatchRequest.Parser), Answers<PackedWatchResponse>(static (answer, context) => answer.WriteTo(context)));

    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<PackedCalls> context)
    {
        object[] metadata = [new HttpMethodMetadata(["POST"], acceptCorsPreflight: true)];
        context.AddUnaryMethod(Submit, metadata, static (service, request, call) => service.SubmitAsync(request, call));
        context.AddServerStreamingMethod(Watch, metadata, static (service, request, stream, call) => service.WatchAsync(request, stream, call));
    }

    private static Marshaller<T> Requests<T>(MessageParser<T> parser)
        where T : IMessage<T> => Marshallers.Create<T>(static (request, context) => context.Complete(request.ToByteArray()), context => parser.ParseFrom(context.PayloadAsReadOnlySequence()));

    private static Marshaller<T> Answers<T>(Action<T, SerializationContext> write) => Marshallers.Create(write, static _ => throw new NotSupportedException("the server reads no answers"));
}
