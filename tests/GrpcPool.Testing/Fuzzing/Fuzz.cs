using System.Text;
using System.Text.Json;

namespace GrpcPool.Testing.Fuzzing;

/// <summary>
/// Gives a parser what it was not made for: the inputs of a saved corpus and mutations of them, the same ones in each run. An input that fails belongs into the corpus:
/// a line of <c>Corpus/NAME.txt</c>, as JSON has strings, where a character stands for a byte.
/// </summary>
internal static class Fuzz
{
    private const int MutationsDefault = 5_000;
    private const int ChangesMax = 8;
    private const int RepeatsMax = 300;

    private static readonly string[] Tokens = ["0", "-1", "9223372036854775807", "1e999", "NaN", "\0", "\n", "\r\n", ":", "::", "/", "%", "\"", "{", "}", "[", "]", ",", "=", " ", "\u00ff\u00fe", "\u00ed\u00a0\u0080", "true", "null"];

    /// <summary>Runs a target over text; bytes that are no UTF-8 become replacement characters.</summary>
    public static void Texts(string corpus, Action<string> target, int mutations = MutationsDefault) => Bytes(corpus, bytes => target(Encoding.UTF8.GetString(bytes)), mutations);

    /// <summary>Runs a target over bytes. Whatever it throws is a failure that shows the input.</summary>
    public static void Bytes(string corpus, Action<byte[]> target, int mutations = MutationsDefault) => Bytes(Load(corpus), target, mutations);

    /// <summary>The same for a corpus that is made anew each time.</summary>
    public static void Bytes(byte[][] corpus, Action<byte[]> target, int mutations = MutationsDefault)
    {
        foreach (byte[] input in corpus)
            Run(target, input);
        var random = new Random(1);
        for (int i = 0; i < mutations; i++)
            Run(target, Mutate(corpus, random));
    }

    /// <summary>What a task of a parser comes to; targets are synchronous.</summary>
    public static T Now<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private static byte[][] Load(string name)
    {
        using Stream stream = typeof(Fuzz).Assembly.GetManifestResourceStream($"Corpus/{name}") ?? throw new InvalidOperationException($"there is no corpus {name}");
        using var reader = new StreamReader(stream);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => Encoding.Latin1.GetBytes(JsonSerializer.Deserialize<string>(line)!))];
    }

    private static void Run(Action<byte[]> target, byte[] input)
    {
        try
        {
            target(input);
        }
        catch (Exception fault)
        {
            throw new InvalidOperationException($"the input {JsonSerializer.Serialize(Encoding.Latin1.GetString(input))} fails: {fault.Message}", fault);
        }
    }

    private static byte[] Mutate(byte[][] corpus, Random random)
    {
        List<byte> bytes = [.. corpus[random.Next(corpus.Length)]];
        for (int changes = random.Next(1, ChangesMax); changes > 0; changes--)
        {
            int at = random.Next(bytes.Count + 1), length = random.Next(bytes.Count - at + 1);
            switch (random.Next(7))
            {
                case 0:
                    bytes.RemoveRange(at, Math.Min(length, 4));
                    break;
                case 1:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
                case 2:
                    bytes.InsertRange(at, Encoding.Latin1.GetBytes(Tokens[random.Next(Tokens.Length)]));
                    break;
                case 3:
                    bytes.InsertRange(at, Enumerable.Repeat(bytes.GetRange(at, Math.Min(length, 8)), random.Next(RepeatsMax)).SelectMany(static part => part));
                    break;
                case 4:
                    byte[] other = corpus[random.Next(corpus.Length)];
                    bytes.InsertRange(at, other[random.Next(other.Length + 1)..]);
                    break;
                case 5:
                    bytes.RemoveRange(at, length);
                    break;
                default:
                    if (length > 0)
                        bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
            }
        }

        return [.. bytes];
    }
}
