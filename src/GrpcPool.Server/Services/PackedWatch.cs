using System.Buffers;
using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
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
/// Lets Watch answer with <see cref="PackedWatchResponse"/>: the generated call would serialise each event anew for each watcher, which is nearly all that many
/// watchers cost.
/// </summary>
internal sealed class PackedWatch : IServiceMethodProvider<TaskPoolGrpcService>
{
    private static readonly Marshaller<WatchRequest> Requests = Marshallers.Create<WatchRequest>(
        static (request, context) => context.Complete(request.ToByteArray()), static context => WatchRequest.Parser.ParseFrom(context.PayloadAsReadOnlySequence()));

    private static readonly Marshaller<PackedWatchResponse> Responses = Marshallers.Create<PackedWatchResponse>(
        static (response, context) => response.WriteTo(context), static _ => throw new NotSupportedException("the server reads no answers"));

    private static readonly Method<WatchRequest, PackedWatchResponse> Method = new(
        MethodType.ServerStreaming, TaskPoolService.Descriptor.FullName, nameof(TaskPoolService.TaskPoolServiceBase.Watch), Requests, Responses);

    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<TaskPoolGrpcService> context) => context.AddServerStreamingMethod(
        Method, [this, new HttpMethodMetadata(["POST"], acceptCorsPreflight: true)], static (service, request, stream, call) => service.WatchAsync(request, stream, call));

    /// <summary>Both calls have the same route; the packed one goes first.</summary>
    public static void Prefer(EndpointBuilder endpoint)
    {
        if (endpoint is RouteEndpointBuilder route && endpoint.Metadata.OfType<PackedWatch>().Any())
            route.Order = -1;
    }
}
