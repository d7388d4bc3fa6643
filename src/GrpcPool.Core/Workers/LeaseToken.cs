using System.Buffers.Binary;
using System.Security.Cryptography;

namespace GrpcPool.Core.Workers;

/// <summary>What proves a lease to whoever is outside of this process: the claim, which is never given twice, and a number that cannot be guessed.</summary>
/// <param name="Claim">The attempt's claim.</param>
/// <param name="Nonce">Random; never 0.</param>
internal readonly record struct LeaseToken(long Claim, long Nonce)
{
    private const int Bytes = 16;

    public static long NewNonce()
    {
        Span<byte> random = stackalloc byte[sizeof(long)];
        RandomNumberGenerator.Fill(random);
        return BinaryPrimitives.ReadInt64LittleEndian(random) is var nonce and not 0 ? nonce : 1;
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote; null for anything else.</summary>
    public static LeaseToken? Read(ReadOnlySpan<byte> bytes) =>
        bytes.Length == Bytes ? new LeaseToken(BinaryPrimitives.ReadInt64LittleEndian(bytes), BinaryPrimitives.ReadInt64LittleEndian(bytes[sizeof(long)..])) : null;

    public byte[] ToBytes()
    {
        byte[] bytes = new byte[Bytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, Claim);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(sizeof(long)), Nonce);
        return bytes;
    }
}
