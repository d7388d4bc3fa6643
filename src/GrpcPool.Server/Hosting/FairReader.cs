using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace GrpcPool.Server.Hosting;

/// <summary>
/// Reads a connection of HTTP/2 in turns of a few frames. Kestrel would read all that a client has sent ahead, and queue a call for each of it, before anybody else's comes to its turn: who sends
/// a thousand calls, and resets them, would have all others wait for these. The next turn is queued behind the work that the last one has made, and comes later where the connection's pace asks for that.
/// </summary>
internal sealed class FairReader(PipeReader inner, ConnectionPace pace, TimeProvider time, CancellationToken closed) : PipeReader
{
    /// <summary>What a turn may have: sixteen calls of a message each.</summary>
    private const int FramesPerTurn = 32;

    /// <summary>How much Kestrel takes at a time: the size of its blocks.</summary>
    private const int BytesAtOnce = 4096;

    /// <summary>Types of frames, and the flag of a call's last one (RFC 9113, section 6).</summary>
    private const byte Data = 0, Headers = 1, Reset = 3, Ping = 6, WindowUpdate = 8, EndStream = 1;

    private FrameCursor _taken = FrameCursor.Start, _handed = FrameCursor.Start;
    private ReadOnlySequence<byte> _buffer;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (_taken.Frames >= FramesPerTurn)
            return ReadInTurnAsync(cancellationToken);
        ValueTask<ReadResult> reading = inner.ReadAsync(cancellationToken);
        return reading.IsCompletedSuccessfully ? new(Hand(reading.Result)) : ReadLaterAsync(reading);
    }

    public override bool TryRead(out ReadResult result)
    {
        if (!inner.TryRead(out result))
            return false;
        _taken.Frames = 0;
        result = Hand(result);
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (consumed.Equals(_buffer.End))
            _taken = _handed;
        else
            _taken.Pass(_buffer.Slice(0, consumed), int.MaxValue);
        _buffer = default;
        inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> ReadInTurnAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        await EndTurnAsync().ConfigureAwait(false);
        return Hand(await inner.ReadAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <summary>What has yet to come comes in a turn of its own.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> ReadLaterAsync(ValueTask<ReadResult> reading)
    {
        ReadResult result = await reading.ConfigureAwait(false);
        await EndTurnAsync().ConfigureAwait(false);
        return Hand(result);
    }

    private ValueTask EndTurnAsync()
    {
        if (_taken.Cost > 0)
            pace.Charge(_taken.Cost);
        (_taken.Frames, _taken.Cost) = (0, 0);
        return pace.Wait is var wait && wait > TimeSpan.Zero ? WaitAsync(wait) : default;
    }

    private async ValueTask WaitAsync(TimeSpan wait) => await Task.Delay(wait, time, closed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private ReadResult Hand(ReadResult result)
    {
        _handed = _taken;
        _buffer = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, BytesAtOnce));
        _buffer = _buffer.Slice(0, _handed.Pass(_buffer, FramesPerTurn));
        if (_buffer.Length == result.Buffer.Length)
            return result;
        return new ReadResult(_buffer, result.IsCanceled, isCompleted: false);
    }

    /// <summary>Where in the frames of a connection one is (RFC 9113, section 4.1).</summary>
    private struct FrameCursor
    {
        private const int PrefaceBytes = 24, HeaderBytes = 9, LengthBytes = 3;

        /// <summary>How much of a payload is still to come, and of a header has come, with what that says.</summary>
        private int _payload, _header, _length;
        private byte _type, _flags;

        public static readonly FrameCursor Start = new() { _payload = PrefaceBytes };

        public int Frames { get; set; }

        /// <summary>What they cost the connection's pace.</summary>
        public int Cost { get; set; }

        /// <summary>Passes over bytes, up to the end of so many frames.</summary>
        /// <returns>How many bytes that are.</returns>
        public long Pass(in ReadOnlySequence<byte> bytes, int frames)
        {
            long passed = 0;
            foreach (ReadOnlyMemory<byte> segment in bytes)
            {
                ReadOnlySpan<byte> span = segment.Span;
                for (int at = 0; at < span.Length;)
                {
                    if (_payload > 0)
                    {
                        int step = Math.Min(_payload, span.Length - at);
                        (_payload, at) = (_payload - step, at + step);
                        continue;
                    }

                    if (_header == 0 && Frames >= frames)
                        return passed + at;
                    if (_header == 0 && span.Length - at >= HeaderBytes)
                    {
                        Begin((span[at] << 16) | (span[at + 1] << 8) | span[at + 2], span[at + 3], span[at + 4]);
                        at += HeaderBytes;
                        continue;
                    }

                    Take(span[at++]);
                }

                passed += span.Length;
            }

            return passed;
        }

        /// <summary>A byte of a header that comes in pieces.</summary>
        private void Take(byte next)
        {
            if (_header < LengthBytes)
                _length = (_length << 8) | next;
            else if (_header == LengthBytes)
                _type = next;
            else if (_header == LengthBytes + 1)
                _flags = next;
            if (++_header == HeaderBytes)
                Begin(_length, _type, _flags);
        }

        private void Begin(int length, byte type, byte flags)
        {
            Cost += CostOf(type, length, flags);
            (_payload, _header, _length, Frames) = (length, 0, 0, Frames + 1);
        }

        private static int CostOf(byte type, int length, byte flags) => type switch
        {
            Data when length > 0 || (flags & EndStream) != 0 => 0,
            Headers => 0,
            Reset or Ping or WindowUpdate => ConnectionPace.Upkeep,
            _ => ConnectionPace.Useless,
        };
    }
}
