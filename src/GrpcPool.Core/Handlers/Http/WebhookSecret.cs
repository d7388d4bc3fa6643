using System.Diagnostics.CodeAnalysis;

namespace GrpcPool.Core.Handlers.Http;

/// <summary>A secret of Standard Webhooks as text: <c>whsec_</c> and the key in base64.</summary>
internal static class WebhookSecret
{
    public const string Rule = "\"whsec_\" and the base64 of 24 to 64 bytes";

    private const string Prefix = "whsec_";
    private const int KeyBytesMin = 24;
    private const int KeyBytesMax = 64;

    public static bool IsValid(string secret) => TryRead(secret, out _);

    public static byte[] Read(string secret) => TryRead(secret, out byte[]? key) ? key : throw new FormatException($"The secret must be {Rule}.");

    private static bool TryRead(string secret, [NotNullWhen(true)] out byte[]? key)
    {
        key = null;
        if (!secret.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        byte[] buffer = new byte[secret.Length];
        if (!Convert.TryFromBase64Chars(secret.AsSpan(Prefix.Length), buffer, out int length) || length is < KeyBytesMin or > KeyBytesMax)
            return false;
        key = buffer[..length];
        return true;
    }
}
