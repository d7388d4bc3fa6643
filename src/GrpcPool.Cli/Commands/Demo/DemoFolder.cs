using System.Text;

namespace GrpcPool.Cli.Commands.Demo;

/// <summary>A temporary folder with some files to work on; removed on disposal.</summary>
internal sealed class DemoFolder : IDisposable
{
    private const int WordsPerFile = 60_000;
    private const int WordsPerLine = 12;

    private static readonly string[] Names = ["amber", "birch", "cedar", "delta", "ember", "fjord"];

    private static readonly string[] Words =
    [
        "anchor", "bridge", "candle", "desert", "engine", "forest", "garden", "harbour", "island", "journey", "kettle", "lantern", "meadow",
        "needle", "orchard", "pebble", "quarry", "river", "saddle", "timber", "umbrella", "valley", "window", "yonder", "zephyr",
    ];

    private DemoFolder(string path) => Path = path;

    public string Path { get; }

    /// <summary>The files by name, with their content.</summary>
    public SortedDictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>How many words each of the files has.</summary>
    public static int WordCount => WordsPerFile;

    public static DemoFolder Create()
    {
        var folder = new DemoFolder(Directory.CreateTempSubdirectory("grpcpool-demo-").FullName);
        try
        {
            folder.Fill();
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private void Fill()
    {
        foreach (string name in Names)
        {
            byte[] content = Encoding.ASCII.GetBytes(Write(new Random(name[0])));
            Files.Add($"{name}.txt", content);
            File.WriteAllBytes(System.IO.Path.Combine(Path, $"{name}.txt"), content);
        }
    }

    private static string Write(Random random)
    {
        var text = new StringBuilder();
        for (int word = 1; word <= WordsPerFile; word++)
            text.Append(random.GetItems(Words, 1)[0]).Append(word % WordsPerLine == 0 ? '\n' : ' ');
        return text.ToString();
    }
}
