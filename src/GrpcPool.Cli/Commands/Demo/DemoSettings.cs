using GrpcPool.Core.Hosting;

namespace GrpcPool.Cli.Commands.Demo;

/// <summary>The settings of the demo's server: three queues, and a kind of task for each command.</summary>
internal static class DemoSettings
{
    public const int Slots = 8;

    /// <summary>The queues with their limits.</summary>
    public static IReadOnlyDictionary<string, int> Limits { get; } = new Dictionary<string, int> { ["files"] = 4, ["mail"] = 2, ["reports"] = 3 };

    /// <summary>Counts the words of each file of its working directory.</summary>
    private const string CountWords = """
        set -- *.txt
        done=0
        for file; do
            wc -w "$file"
            sleep 0.4
            done=$((done + 1))
            percent=$((done * 100 / $#))
            printf '::progress %d.%02d %s\n' $((percent / 100)) $((percent % 100)) "$file" >&2
        done
        """;

    /// <summary>Takes a number of pages, and its time for each.</summary>
    private const string Print = """
        read -r pages
        page=0
        while [ "$page" -lt "$pages" ]; do
            sleep 0.15
            page=$((page + 1))
            percent=$((page * 100 / pages))
            printf '::progress %d.%02d page %d of %d\n' $((percent / 100)) $((percent % 100)) "$page" "$pages" >&2
        done
        echo "$pages pages printed"
        """;

    public static GrpcPoolOptions Create(DemoFolder folder, DemoPrograms programs)
    {
        var options = new GrpcPoolOptions { Storage = { Type = StorageType.Memory }, Pool = { Slots = Slots, DrainTimeout = TimeSpan.FromSeconds(2) } };
        foreach ((string queue, int limit) in Limits)
            options.Queues[queue] = new QueueOptions { Limit = limit };
        options.Queues["files"].Weight = 2;

        AddCommand("sha256sum", ["sha256sum"], []);
        AddCommand("gzip", ["gzip"], ["-9", "-c"]);
        AddCommand("count-words", ["sh", "wc", "sleep"], ["-c", CountWords]);
        AddCommand("print", ["sh", "sleep"], ["-c", Print]);
        return options;

        void AddCommand(string kind, string[] needed, string[] arguments)
        {
            if (!programs.Has(needed))
                return;
            var command = new CommandOptions { Command = programs.PathOf(needed[0]), WorkingDirectory = folder.Path };
            command.Environment["PATH"] = DemoPrograms.SearchPath;
            command.Arguments.AddRange(arguments);
            options.Commands.Add(kind, command);
        }
    }
}
