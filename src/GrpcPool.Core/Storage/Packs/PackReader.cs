using System.Buffers.Binary;
using System.Text;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Packs;

/// <summary>Reads what a <see cref="PackWriter"/> has written.</summary>
/// <param name="data">What is read.</param>
/// <param name="kept">The same, where it stays as it is for as long as anybody has a part of it.</param>
internal ref struct PackReader(ReadOnlySpan<byte> data, ReadOnlyMemory<byte> kept = default)
{
    private ReadOnlySpan<byte> _rest = data;

    public readonly bool AtEnd => _rest.IsEmpty;

    public long Number()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = Take(1)[0];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return (long)value;
        }

        throw Damaged();
    }

    public int Whole() => Number() is >= int.MinValue and <= int.MaxValue and var value ? (int)value : throw Damaged();

    /// <summary>How many things follow, of which each takes at least a byte.</summary>
    public int Count() => Number() is >= 0 and var value && value <= _rest.Length ? (int)value : throw Damaged();

    public DateTimeOffset Time() => Times.TryFromTicks(Signed()) ?? throw Damaged();

    public long Signed()
    {
        long value = Number();
        return (long)((ulong)value >> 1) ^ -(value & 1);
    }

    public double Real() => BinaryPrimitives.ReadDoubleLittleEndian(Take(sizeof(double)));

    public ReadOnlySpan<byte> Bytes() => Take(Number());

    /// <summary>Bytes that are kept: a copy, or the part of what is read.</summary>
    public ReadOnlyMemory<byte> Kept()
    {
        ReadOnlySpan<byte> bytes = Bytes();
        return kept.IsEmpty ? bytes.ToArray() : kept.Slice(kept.Length - _rest.Length - bytes.Length, bytes.Length);
    }

    public string Text() => Encoding.UTF8.GetString(Bytes());

    /// <summary>A name, which mostly is that of the one before: then the same object. Stores of one process share the one before, which is therefore looked at once.</summary>
    public string Name(ref string last)
    {
        ReadOnlySpan<byte> bytes = Bytes();
        string before = last;
        return Ascii.Equals(bytes, before) ? before : last = Encoding.UTF8.GetString(bytes);
    }

    public IReadOnlyDictionary<string, string> Pairs()
    {
        int count = Count();
        if (count == 0)
            return TaskSpec.NoPairs;
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        for (; count > 0; count--)
        {
            if (!pairs.TryAdd(Text(), Text()))
                throw Damaged();
        }

        return pairs;
    }

    /// <summary>Takes off the checksum.</summary>
    /// <exception cref="StorageException">It is not that of the value.</exception>
    public static ReadOnlySpan<byte> Open(ReadOnlySpan<byte> data, Checksum belongsTo)
    {
        if (data.Length < sizeof(uint) || belongsTo.Add(data[..^sizeof(uint)]).Value != BinaryPrimitives.ReadUInt32LittleEndian(data[^sizeof(uint)..]))
            throw Damaged();
        return data[..^sizeof(uint)];
    }

    /// <summary>Every packed value begins with the number of its form.</summary>
    public void Form(int known)
    {
        if (Number() != known)
            throw Damaged();
    }

    private ReadOnlySpan<byte> Take(long length)
    {
        if (length < 0 || length > _rest.Length)
            throw Damaged();
        ReadOnlySpan<byte> taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }

    private static StorageException Damaged() => new(StorageFault.Corrupt, "a packed value of the database is damaged");
}
