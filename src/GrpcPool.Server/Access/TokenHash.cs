using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace GrpcPool.Server.Access;

/// <summary>Tokens are known by their SHA-256 alone: they are 256 bits of chance, so that nothing is gained by hashing them slowly.</summary>
internal static class TokenHash
{
    public const int BytesCount = SHA256.HashSizeInBytes;

    /// <summary>Lets those who search files for secrets that got there by mistake find it.</summary>
    private const string Prefix = "gpt_";

    private const int RandomBytes = 32;

    public static bool IsValid(string text) => text.Length == 2 * BytesCount && text.All(char.IsAsciiHexDigit);

    public static byte[] Of(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    /// <summary>A fresh token, and the hash by which it is known.</summary>
    public static (string Token, string Hash) New()
    {
        string token = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));
        return (token, Convert.ToHexStringLower(Of(token)));
    }

    /// <summary>Reads a file of hashes, one a line; a line that begins with # is none.</summary>
    public static bool TryReadFile(string path, [NotNullWhen(true)] out IReadOnlyList<byte[]>? hashes, [NotNullWhen(false)] out string? reason)
    {
        (hashes, reason) = (null, null);
        try
        {
            string[] lines = [.. File.ReadAllLines(path).Select(static line => line.Trim()).Where(static line => line.Length > 0 && !line.StartsWith('#'))];
            if (Array.FindIndex(lines, static line => !IsValid(line)) is >= 0 and var wrong)
            {
                reason = $"its hash number {wrong + 1} is not of {2 * BytesCount} hexadecimal digits";
                return false;
            }

            hashes = [.. lines.Select(static line => Convert.FromHexString(line))];
            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            reason = fault.Message.TrimEnd('.');
            return false;
        }
    }
}
