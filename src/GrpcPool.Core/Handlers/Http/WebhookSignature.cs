using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace GrpcPool.Core.Handlers.Http;

/// <summary>Signs requests as Standard Webhooks 1.0 has it, with each of the keys: an application that knows one of them verifies.</summary>
internal sealed class WebhookSignature(params byte[][] keys)
{
    /// <summary>The header <c>webhook-signature</c>.</summary>
    /// <param name="id">The message's id, without a full stop: that divides what is signed.</param>
    /// <param name="unixTime">When it is sent, in seconds.</param>
    /// <param name="body">What is sent.</param>
    public string Sign(string id, long unixTime, ReadOnlySpan<byte> body)
    {
        byte[] head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{unixTime}."));
        var signatures = new string[keys.Length];
        for (int i = 0; i < keys.Length; i++)
            signatures[i] = Sign(keys[i], head, body);
        return string.Join(' ', signatures);
    }

    private static string Sign(byte[] key, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hmac.AppendData(head);
        hmac.AppendData(body);
        return $"v1,{Convert.ToBase64String(hmac.GetHashAndReset())}";
    }
}
