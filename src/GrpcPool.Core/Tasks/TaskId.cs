using System.Buffers.Binary;

namespace GrpcPool.Core.Tasks;

/// <summary>Names one task: its id is unique within its namespace.</summary>
/// <param name="Namespace">The namespace, 1–64 of <c>[a-z0-9._-]</c>.</param>
/// <param name="Value">The id, 1–128 of <c>[A-Za-z0-9._:-]</c>.</param>
public readonly record struct TaskId(string Namespace, string Value)
{
    /// <summary>
    /// Makes a new id: a UUID version 7, which sorts by time (RFC 9562, section 5.7). It need not be hard to guess, so its random bits cost no call of the system.
    /// </summary>
    internal static TaskId New(string @namespace, DateTimeOffset now)
    {
        Span<byte> bytes = stackalloc byte[16];
        Random.Shared.NextBytes(bytes[6..]);
        BinaryPrimitives.WriteInt64BigEndian(bytes, (now.ToUnixTimeMilliseconds() << 16) | BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]));
        bytes[6] = (byte)(0x70 | (bytes[6] & 0x0F));
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3F));
        return new(@namespace, new Guid(bytes, bigEndian: true).ToString());
    }

    /// <summary>Of the value alone: equal ids in many namespaces are rare.</summary>
    public override int GetHashCode() => Value is null ? 0 : Value.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => $"{Namespace}/{Value}";
}
