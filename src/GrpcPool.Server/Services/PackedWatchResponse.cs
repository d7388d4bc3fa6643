using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Server.Services;

/// <summary>A <see cref="WatchResponse"/> of others that are serialised already, each with one event: put one after the other, they are one with all the events (Protocol Buffers, encoding, "Last One Wins").</summary>
internal sealed record PackedWatchResponse(IReadOnlyList<byte[]> Events, long Revision)
{
    public void WriteTo(SerializationContext context)
    {
        byte[] rest = new WatchResponse { Revision = Revision }.ToByteArray();
        context.SetPayloadLength(Events.Sum(static told => told.Length) + rest.Length);
        var writer = new BlockWriter(context.GetBufferWriter());
        foreach (byte[] told in Events)
            writer.Write(told);
        writer.Write(rest);
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
