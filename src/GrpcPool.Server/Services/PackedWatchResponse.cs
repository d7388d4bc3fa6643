using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using GrpcPool.V1;

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
