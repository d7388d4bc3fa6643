using System.Buffers;

namespace GrpcPool.Core.Tasks;

/// <summary>The rule for the names of kinds, queues and namespaces.</summary>
internal static class PoolName
{
    public const string Rule = "1–64 characters of a–z, 0–9, \".\", \"_\" and \"-\"";

    private const int LengthMax = 64;

    private static readonly SearchValues<char> Characters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789._-");

    public static bool IsValid(string name) => name.Length is > 0 and <= LengthMax && !name.AsSpan().ContainsAnyExcept(Characters);
}
