using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using GrpcPool.Server.Services;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcPool.Server.Hosting;

/// <summary>The body of a call, which tells how much of it has been read and is kept until there is more.</summary>
internal sealed class PartialBody(IRequestBodyPipeFeature own, MessageRoom room, HttpContext call) : PipeReader, IRequestBodyPipeFeature
{
    /// <summary>Whether it is compressed, and its length.</summary>
    private const int PrefixBytes = 5;

    private PipeReader? _inner;
    private ReadOnlySequence<byte> _buffer;
    private volatile bool _givenUp;
    private bool _unpacking;

    /// <summary>Whether its messages are only skipped: what is read need not begin with one any more.</summary>
    private bool _skipped;

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
        ReadResult result;
        try
        {
            result = await Inner.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is BadHttpRequestException or InvalidOperationException)
        {
            throw Broken(fault);
        }

        Check(result.Buffer);
        _buffer = result.Buffer;
        if (!_skipped && IsPacked(_buffer))
        {
            await room.BeginUnpackingAsync(call.RequestAborted).ConfigureAwait(false);
            _unpacking = true;
        }

        return result;
    }

    public override bool TryRead(out ReadResult result)
    {
        if (!Inner.TryRead(out result))
            return false;
        Check(result.Buffer);
        _buffer = result.Buffer;
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        long rest = _buffer.Slice(consumed).Length;
        _skipped |= IsInMiddle(_buffer, _buffer.Length - rest);
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

    /// <summary>Whether what was consumed ends in the middle of a message: gRPC consumes one at a time.</summary>
    private static bool IsInMiddle(in ReadOnlySequence<byte> message, long consumed) => consumed > 0 && consumed != PrefixBytes + LengthOf(message);

    /// <summary>How long a message says that it is, without its prefix; 0 where that has not come.</summary>
    private static long LengthOf(in ReadOnlySequence<byte> message)
    {
        if (message.Length < PrefixBytes)
            return 0;
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        message.Slice(0, PrefixBytes).CopyTo(prefix);
        return BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
    }

    /// <summary>Refuses what is to be read no further.</summary>
    private void Check(in ReadOnlySequence<byte> message)
    {
        RpcException? refusal = _givenUp ? GivenUp() : !_skipped && LengthOf(message) is > PoolGrpcServices.ReceiveBytesMax and var bytes ? TooLarge(bytes) : null;
        if (refusal is null)
            return;
        Inner.AdvanceTo(message.Start); // The rest of the body is read by the transport, which must not find a read under way.
        throw refusal;
    }

    /// <summary>gRPC would not say how large a message may be, and takes a length that is no <see cref="int"/> for a fault of the server.</summary>
    private static RpcException TooLarge(long bytes) =>
        new(new Grpc.Core.Status(StatusCode.ResourceExhausted, $"the message has {bytes} bytes, and one may have {PoolGrpcServices.ReceiveBytesMax}: split what it carries"));

    /// <summary>A body that breaks the rules of HTTP, or is no base64 where it should be, is its caller's mistake.</summary>
    private static RpcException Broken(Exception fault)
    {
        bool isTooLarge = fault is BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge };
        return new(new Grpc.Core.Status(isTooLarge ? StatusCode.ResourceExhausted : StatusCode.InvalidArgument, $"the body cannot be read: {fault.Message}"));
    }

    private static RpcException GivenUp() => new Google.Rpc.Status
    {
        Code = (int)Code.ResourceExhausted,
        Message = "too many messages wait for their rest, and this one has waited longest: send it again",
        Details = { Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) }) },
    }.ToRpcException();
}
