using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace GrpcPool.Core.Workers;

/// <summary>What proves a lease to whoever is outside of this process: the claim, which is never given twice, and a number that cannot be guessed.</summary>
/// <param name="Claim">The attempt's claim.</param>
/// <param name="Nonce">Random; never 0.</param>
internal readonly record struct LeaseToken(long Claim, long Nonce)
{
    private const int Bytes = 16;

    /// <summary>How many numbers are made at a time: one by one, they are a tenth of what an assignment costs.</summary>
    private const int NoncesMade = 256;

    [ThreadStatic]
    private static long[]? _nonces;

    [ThreadStatic]
    private static int _left;

    public static long NewNonce()
    {
        long[] nonces = _nonces ??= new long[NoncesMade];
        if (_left == 0)
        {
            RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(nonces.AsSpan()));
            _left = nonces.Length;
        }

        return nonces[--_left] is var nonce and not 0 ? nonce : 1;
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
