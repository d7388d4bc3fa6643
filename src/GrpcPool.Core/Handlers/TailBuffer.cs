namespace GrpcPool.Core.Handlers;

/// <summary>Keeps the last bytes of what is written, in memory that grows with it up to a bound. Not thread-safe.</summary>
internal sealed class TailBuffer(int bytesMax)
{
    private const int FirstBytes = 1024;

    private byte[] _ring = [];
    private int _first;
    private int _count;

    /// <summary>How many bytes before those that are kept have been given up.</summary>
    private long _skipped;

    /// <summary>Adds bytes. Where some before them are missing, nothing older is kept.</summary>
    public void Append(ReadOnlySpan<byte> bytes, long missing = 0)
    {
        if (missing > 0)
            Drop(_count);
        _skipped += missing;
        Drop((int)Math.Min(_count, Math.Max(0L, (long)_count + bytes.Length - bytesMax)));
        if (bytes.Length > bytesMax)
        {
            _skipped += bytes.Length - bytesMax;
            bytes = bytes[^bytesMax..];
        }

        Grow(_count + bytes.Length);
        int end = (_first + _count) % Math.Max(1, _ring.Length);
        int untilWrap = Math.Min(bytes.Length, _ring.Length - end);
        bytes[..untilWrap].CopyTo(_ring.AsSpan(end));
        bytes[untilWrap..].CopyTo(_ring);
        _count += bytes.Length;
    }

    public byte[] ToArray()
    {
        if (_count == 0)
            return [];
        byte[] bytes = new byte[_count];
        int untilWrap = Math.Min(_count, _ring.Length - _first);
        _ring.AsSpan(_first, untilWrap).CopyTo(bytes);
        _ring.AsSpan(0, _count - untilWrap).CopyTo(bytes.AsSpan(untilWrap));
        return bytes;
    }

    /// <summary>Takes all out, with the number of bytes that were given up before them.</summary>
    public (byte[] Bytes, long Skipped) Take()
    {
        (byte[], long) taken = (ToArray(), _skipped);
        (_ring, _first, _count, _skipped) = ([], 0, 0, 0);
        return taken;
    }

    private void Drop(int count)
    {
        _skipped += count;
        _count -= count;
        _first = _count == 0 ? 0 : (_first + count) % _ring.Length;
    }

    private void Grow(int needed)
    {
        if (needed <= _ring.Length)
            return;
        byte[] grown = new byte[(int)Math.Min(bytesMax, Math.Max(needed, Math.Max(FirstBytes, 2L * _ring.Length)))];
        ToArray().CopyTo(grown, 0);
        (_ring, _first) = (grown, 0);
    }
}
