using System.Numerics;
using System.Runtime.InteropServices;

namespace GrpcPool.Core.Storage.Packs;

/// <summary>CRC-32C of what stands in a row, beyond its packed value: SQLite itself does not notice a changed byte.</summary>
internal readonly record struct Checksum(uint Value)
{
    public static Checksum None { get; } = new(uint.MaxValue);

    public Checksum Add(long number) => new(BitOperations.Crc32C(Value, (ulong)number));

    public Checksum Add(long? number) => Add(number ?? long.MinValue);

    public Checksum Add(string text) => Add(MemoryMarshal.AsBytes(text.AsSpan()));

    public Checksum Add(ReadOnlySpan<byte> bytes)
    {
        uint sum = BitOperations.Crc32C(Value, (ulong)bytes.Length);
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
            sum = BitOperations.Crc32C(sum, word);
        foreach (byte value in bytes[(words.Length * sizeof(ulong))..])
            sum = BitOperations.Crc32C(sum, value);
        return new Checksum(sum);
    }
}
