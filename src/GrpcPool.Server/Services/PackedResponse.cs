using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Server.Services;

/// <summary>A message that is serialised already, in pieces: one after the other they are the message. Those of one field may be as many messages of the same type (Protocol Buffers, encoding, "Last One Wins").</summary>
internal sealed record PackedResponse(IReadOnlyList<byte[]> Pieces)
{
    public static PackedResponse Of(IMessage message) => new([message.ToByteArray()]);

    /// <summary>A <see cref="WatchResponse"/> with the events of others, each of one event.</summary>
    public static PackedResponse OfEvents(IReadOnlyList<byte[]> events, long revision) => new([.. events, new WatchResponse { Revision = revision }.ToByteArray()]);

    /// <summary>A <see cref="ConnectResponse"/> with the items of others' assignments, each of one item.</summary>
    public static PackedResponse OfAssignments(IReadOnlyList<byte[]> items, long sequence)
    {
        byte[] rest = new Assignments { Sequence = sequence }.ToByteArray();
        int length = items.Sum(static item => item.Length) + rest.Length;
        byte[] head = new byte[CodedOutputStream.ComputeTagSize(ConnectResponse.AssignmentsFieldNumber) + CodedOutputStream.ComputeLengthSize(length)];
        using var output = new CodedOutputStream(head);
        output.WriteTag(ConnectResponse.AssignmentsFieldNumber, WireFormat.WireType.LengthDelimited);
        output.WriteLength(length);
        output.Flush();
        return new([head, .. items, rest]);
    }

    public static void Write(PackedResponse response, SerializationContext context)
    {
        context.SetPayloadLength(response.Pieces.Sum(static piece => piece.Length));
        var writer = new BlockWriter(context.GetBufferWriter());
        foreach (byte[] piece in response.Pieces)
            writer.Write(piece);
        writer.Flush();
        context.Complete();
    }

    /// <summary>Fills whole blocks of a writer, to which each piece that it is told of costs two locks.</summary>
    private ref struct BlockWriter(IBufferWriter<byte> writer)
    {
        private Span<byte> _block;
        private int _filled;

        public void Write(ReadOnlySpan<byte> bytes)
        {
            while (bytes.Length > 0)
            {
                if (_filled == _block.Length)
                {
                    Flush();
                    _block = writer.GetSpan();
                }

                int length = Math.Min(bytes.Length, _block.Length - _filled);
                bytes[..length].CopyTo(_block[_filled..]);
                _filled += length;
                bytes = bytes[length..];
            }
        }

        public void Flush()
        {
            writer.Advance(_filled);
            _block = default;
            _filled = 0;
        }
    }
}
