namespace GrpcPool.Cli.Commands.Demo;

/// <summary>The programs of this machine that the demo's tasks run.</summary>
internal sealed class DemoPrograms
{
    private const string UsualPath = "/usr/local/bin:/usr/bin:/bin";

    private static readonly string[] Wanted = ["sha256sum", "gzip", "sh", "wc", "sleep"];

    private readonly Dictionary<string, string> _paths;

    private DemoPrograms(Dictionary<string, string> paths) => _paths = paths;

    /// <summary>The directories that are searched, by the programs themselves too.</summary>
    public static string SearchPath { get; } = Environment.GetEnvironmentVariable("PATH") is { Length: > 0 } path ? path : UsualPath;

    /// <summary>The programs that are not there. Elsewhere than on Linux that is all of them: command handlers exist on Linux only.</summary>
    public IEnumerable<string> Missing => Wanted.Where(name => !_paths.ContainsKey(name));

    public static DemoPrograms Find()
    {
        var paths = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in OperatingSystem.IsLinux() ? Wanted : [])
        {
            if (Locate(name) is { } path)
                paths.Add(name, path);
        }

        return new DemoPrograms(paths);
    }

    public bool Has(params IEnumerable<string> names) => names.All(_paths.ContainsKey);

    public string PathOf(string name) => _paths[name];

    private static string? Locate(string name) =>
        SearchPath.Split(':').Where(Path.IsPathFullyQualified).Select(folder => Path.Combine(folder, name)).FirstOrDefault(IsExecutable);

    private static bool IsExecutable(string path)
    {
        const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return !OperatingSystem.IsWindows() && File.Exists(path) && (File.GetUnixFileMode(path) & Execute) != 0;
    }
}
