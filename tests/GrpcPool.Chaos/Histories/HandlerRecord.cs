namespace GrpcPool.Chaos.Histories;

/// <summary>
/// What handlers have done, as they say themselves: commands that append to a file, so that neither the server nor its database comes between. A line is one write
/// at the end of the file, which no other can break.
/// </summary>
internal sealed class HandlerRecord
{
    /// <summary>A command that writes down its start and its end.</summary>
    public const string RecordKind = "record";

    /// <summary>A command that writes down its start and kills the server.</summary>
    public const string PoisonKind = "poison";

    private const string Start = "start", End = "end";

    private readonly string _file;
    private readonly string _folder;

    public HandlerRecord(string folder)
    {
        (_folder, _file) = (folder, Path.Combine(folder, "record"));
        File.WriteAllText(_file, "");
        File.WriteAllText(Script(RecordKind), $"{Line(Start)}sleep 0.05\n{Line(End)}");
        File.WriteAllText(Script(PoisonKind), $"{Line(Start)}kill -9 $PPID\nsleep 1\n");
    }

    /// <summary>The server's settings with the two kinds.</summary>
    public IEnumerable<string> Settings => ((string[])[RecordKind, PoisonKind]).SelectMany(kind => (string[])
    [
        $"Handlers:{kind}:Type=command", $"Handlers:{kind}:Command=/bin/sh", $"Handlers:{kind}:Arguments:0={Script(kind)}", $"Handlers:{kind}:Environment:RECORD={_file}",
    ]);

    /// <summary>How often each task was started, and how often such a start came to its end.</summary>
    public IReadOnlyDictionary<string, (int Starts, int Ends)> Read() => File.ReadAllLines(_file)
        .Select(static line => line.Split(' '))
        .GroupBy(static words => words[1])
        .ToDictionary(static task => task.Key, static task => (task.Count(static words => words[0] == Start), task.Count(static words => words[0] == End)));

    private static string Line(string what) => $"echo {what} \"$GRPCPOOL_TASK_ID\" >> \"$RECORD\"\n";

    private string Script(string kind) => Path.Combine(_folder, $"{kind}.sh");
}
