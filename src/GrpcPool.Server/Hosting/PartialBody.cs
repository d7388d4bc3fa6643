using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcPool.Server.Hosting;

/// <summary>The body of a call, which tells how much of it has been read and is kept until there is more.</summary>
internal sealed class PartialBody(IRequestBodyPipeFeature own, MessageRoom room) : PipeReader, IRequestBodyPipeFeature
{
    /// <summary>Whether it is compressed, and its length.</summary>
    private const int PrefixBytes = 5;

    private PipeReader? _inner;
    private ReadOnlySequence<byte> _buffer;
    private volatile bool _givenUp;
    private bool _unpacking;

    /// <summary>How much it holds, in bytes, and its place among those that wait. Guarded by the room.</summary>
    public long Held { get; set; }

    public LinkedListNode<PartialBody>? Place { get; set; }

    public bool IsWaiting => Place is not null;

    PipeReader IRequestBodyPipeFeature.Reader => this;

    private PipeReader Inner => _inner ??= own.Reader;

    /// <summary>Ends the call that waits for the rest; guarded by the room, before which the call does not end: the next call of the connection may have the same reader.</summary>
    public void GiveUp()
    {
        _givenUp = true;
        try
        {
            Inner.CancelPendingRead();
        }
        catch (Exception end) when (end is IOException or OperationCanceledException)
        {
            // The connection has ended, and the read with it.
        }
    }

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfGivenUp();
        ReadResult result = await Inner.ReadAsync(cancellationToken).ConfigureAwait(false);
        ThrowIfGivenUp();
        ThrowIfHuge(result.Buffer);
        _buffer = result.Buffer;
        if (IsPacked(_buffer))
        {
            await room.BeginUnpackingAsync().ConfigureAwait(false);
            _unpacking = true;
        }

        return result;
    }

    public override bool TryRead(out ReadResult result)
    {
        ThrowIfGivenUp();
        bool read = Inner.TryRead(out result);
        ThrowIfHuge(result.Buffer);
        _buffer = result.Buffer;
        return read;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        long rest = _buffer.Slice(consumed).Length;
        _buffer = default;
        EndUnpacking();
        Inner.AdvanceTo(consumed, examined);
        room.Hold(this, rest);
    }

    public override void CancelPendingRead() => Inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => Inner.Complete(exception);

    /// <summary>Lets the next one unpack, also where a message is given up in the middle.</summary>
    public void EndUnpacking()
    {
        if (!_unpacking)
            return;
        _unpacking = false;
        room.EndUnpacking();
    }

    /// <summary>Whether a message begins by saying that it is compressed.</summary>
    private static bool IsPacked(in ReadOnlySequence<byte> message) => message.FirstSpan is [not 0, ..];

    /// <summary>gRPC takes a length that is no <see cref="int"/> for a fault of the server, and would write a line about it. What is read begins with a message.</summary>
    private static void ThrowIfHuge(in ReadOnlySequence<byte> message)
    {
        if (message.Length >= PrefixBytes && (message.Slice(1, 1).FirstSpan[0] & 0x80) != 0)
            throw new RpcException(new Grpc.Core.Status(StatusCode.ResourceExhausted, "the message says that it has 2 GiB or more; split what it carries"));
    }

    private void ThrowIfGivenUp()
    {
        if (!_givenUp)
            return;
        throw new Google.Rpc.Status
        {
            Code = (int)Code.ResourceExhausted,
            Message = "too many messages wait for their rest, and this one has waited longest: send it again",
            Details = { Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) }) },
        }.ToRpcException();
    }
}
