using System.Buffers.Binary;
using System.Text;

namespace GrpcPool.Core.Storage.Packs;

/// <summary>Writes values one after the other into a buffer that is used again. Numbers take as few bytes as they need.</summary>
internal sealed class PackWriter
{
    private const int NumberBytesMax = 10;
    private const int Utf8BytesMax = 3;

    /// <summary>The length of so many characters takes one byte, whatever they are: they need not be looked at before they are written.</summary>
    private const int ShortCharacters = 0x7f / Utf8BytesMax;

    private byte[] _buffer = new byte[1024];
    private int _length;

    /// <summary>What has been written since <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public PackWriter Clear()
    {
        _length = 0;
        return this;
    }

    /// <summary>Ends with a checksum of all that has been written, and of what it belongs to.</summary>
    public ReadOnlySpan<byte> Seal(Checksum belongsTo)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(Free(sizeof(uint)), belongsTo.Add(Written).Value);
        _length += sizeof(uint);
        return Written;
    }

    /// <summary>Writes a number that is not negative, or rarely.</summary>
    public void Number(long value)
    {
        Span<byte> free = Free(NumberBytesMax);
        ulong rest = (ulong)value;
        int length = 0;
        for (; rest >= 0x80; rest >>= 7)
            free[length++] = (byte)(rest | 0x80);
        free[length++] = (byte)rest;
        _length += length;
    }

    public void Signed(long value) => Number((value << 1) ^ (value >> 63));

    public void Real(double value)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(Free(sizeof(double)), value);
        _length += sizeof(double);
    }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        Number(value.Length);
        value.CopyTo(Free(value.Length));
        _length += value.Length;
    }

    public void Text(string value)
    {
        if (value.Length <= ShortCharacters)
        {
            Span<byte> free = Free(1 + (ShortCharacters * Utf8BytesMax));
            int written = value.Length == 0 ? 0 : Encoding.UTF8.GetBytes(value, free[1..]);
            free[0] = (byte)written;
            _length += 1 + written;
            return;
        }

        int length = Encoding.UTF8.GetByteCount(value);
        Number(length);
        _length += Encoding.UTF8.GetBytes(value, Free(length));
    }

    public void Pairs(IReadOnlyDictionary<string, string> pairs)
    {
        Number(pairs.Count);
        if (pairs.Count == 0)
            return;
        foreach ((string name, string value) in pairs)
        {
            Text(name);
            Text(value);
        }
    }

    private Span<byte> Free(int length)
    {
        if (_buffer.Length - _length < length)
            Array.Resize(ref _buffer, Math.Max(2 * _buffer.Length, _length + length));
        return _buffer.AsSpan(_length);
    }
}
