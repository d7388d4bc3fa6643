using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using GrpcPool.Cli.Output;

namespace GrpcPool.Cli.Commands.Demo;

/// <summary>Results of the demo's commands, each computed a second time in this process.</summary>
internal static class Proofs
{
    public static Proof Digest(byte[] content)
    {
        string digest = Convert.ToHexStringLower(SHA256.HashData(content));
        return new Proof(result => Text(result).StartsWith(digest, StringComparison.Ordinal), result => $"{Text(result)[..16]}…");
    }

    public static Proof Packed(byte[] content) =>
        new(result => Unpack(result).AsSpan().SequenceEqual(content), result => $"{Kilobytes(content.Length)} packed to {Kilobytes(result.Length)}");

    public static Proof WordCounts(IReadOnlyCollection<string> files, int words)
    {
        string[] expected = [.. files.Select(file => $"{words} {file}")];
        return new Proof(
            result => Text(result).Split('\n').Select(line => line.Trim()).SequenceEqual(expected),
            _ => $"{Wording.Count(words * files.Count, "word")} in {Wording.Count(files.Count, "file")}");
    }

    public static Proof Says(string text) => new(result => Text(result) == text, Text);

    public static Proof Same(byte[] content) => new(result => result.Span.SequenceEqual(content), result => $"{Kilobytes(result.Length)} come back");

    private static string Text(ReadOnlyMemory<byte> result) => Encoding.UTF8.GetString(result.Span).TrimEnd();

    private static string Kilobytes(int bytes) => $"{bytes / 1000} kB";

    private static byte[] Unpack(ReadOnlyMemory<byte> packed)
    {
        using var source = new GZipStream(new MemoryStream(packed.ToArray()), CompressionMode.Decompress);
        using var target = new MemoryStream();
        try
        {
            source.CopyTo(target);
            return target.ToArray();
        }
        catch (InvalidDataException)
        {
            return [];
        }
    }
}
