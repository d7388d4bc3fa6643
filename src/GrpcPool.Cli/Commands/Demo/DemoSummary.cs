using System.Globalization;
using GrpcPool.Cli.Output;
using GrpcPool.V1;
using Spectre.Console;

namespace GrpcPool.Cli.Commands.Demo;

/// <summary>Tells how all tasks ended, and whether that is as it should be.</summary>
internal sealed class DemoSummary
{
    private const int PlainWidth = 140;
    private const int WidthMax = 140;

    /// <summary>What the other columns take, with and without the kind and the queue.</summary>
    private const int WideWidth = 80;
    private const int NarrowWidth = 56;

    private readonly IReadOnlyList<DemoTask> _tasks;
    private readonly IReadOnlyDictionary<string, TaskInfo> _infos;
    private readonly IReadOnlyDictionary<string, string> _complaints;
    private readonly bool _isWide;
    private readonly int _resultWidth;

    private DemoSummary(IReadOnlyList<DemoTask> tasks, IReadOnlyDictionary<string, TaskInfo> infos, int width)
    {
        _tasks = tasks;
        _infos = infos;
        _complaints = DemoVerdict.Judge(tasks, infos);
        _isWide = width >= WideWidth + 20;
        _resultWidth = Math.Max(10, width - (_isWide ? WideWidth : NarrowWidth));
    }

    /// <summary>Prints the table and the last line.</summary>
    /// <returns>Whether all tasks ended as they should.</returns>
    public static bool Print(DemoBoard board, IReadOnlyDictionary<string, TaskInfo> infos)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        IAnsiConsole console = Screen.IsPlain ? PlainConsole(text) : AnsiConsole.Console;
        var summary = new DemoSummary(board.Tasks, infos, Math.Min(console.Profile.Width, WidthMax));
        console.Write(summary.Draw());
        console.WriteLine();
        console.MarkupLine(summary.LastLine(board.Elapsed));

        // What is drawn is filled up with blanks, which nobody needs in a file.
        foreach (string line in text.ToString().TrimEnd().Split('\n').Where(_ => Screen.IsPlain))
            Console.Out.WriteLine(line.TrimEnd());
        return summary._complaints.Count == 0;
    }

    private string LastLine(TimeSpan elapsed)
    {
        string tasks = Wording.Count(_tasks.Count, "task");
        return _complaints.Count == 0
            ? $"[green]All {tasks} ended as they should[/], in {Wording.Seconds(elapsed)}."
            : $"[red]{_complaints.Count} of {tasks} did not end as they should[/]: see the lines marked with !.";
    }

    private Table Draw()
    {
        Table table = new Table().Border(Screen.IsPlain ? TableBorder.None : TableBorder.Rounded).BorderColor(Color.Grey37);
        foreach (string name in (string[])[.. _isWide ? ["queue", "kind"] : (string[])[], "task", "ended", "attempts", "time", "result"])
            table.AddColumn(new TableColumn($"[grey]{name}[/]") { NoWrap = true, Alignment = name is "attempts" or "time" ? Justify.Right : Justify.Left });
        foreach (IGrouping<string, DemoTask> queue in _tasks.GroupBy(task => task.Spec.Queue).OrderBy(queue => queue.Key, StringComparer.Ordinal))
        {
            foreach (DemoTask task in queue)
                AddRow(table, task, task == queue.First());
        }

        return table;
    }

    private void AddRow(Table table, DemoTask task, bool isFirst)
    {
        TaskInfo? info = _infos.GetValueOrDefault(task.Id);
        if (isFirst && table.Rows.Count > 0)
            table.AddEmptyRow();
        table.AddRow(
        [
            .. _isWide ? [new Markup(isFirst || Screen.IsPlain ? task.Spec.Queue : ""), new Markup($"[grey]{task.Spec.Kind}[/]")] : (Markup[])[],
            new Text(task.Id),
            Ended(info),
            new Text($"{info?.Attempt}"),
            new Text(info is null ? "" : Wording.Duration(info)),
            Result(task, info),
        ]);
    }

    private static Markup Ended(TaskInfo? info)
    {
        TaskState state = info?.State ?? TaskState.Unspecified;
        (string mark, string colour) = Drawing.MarkOf(state);
        return new Markup($"[{colour}]{(Screen.IsPlain ? "" : $"{mark} ")}{Wording.Of(state)}[/]");
    }

    private Text Result(DemoTask task, TaskInfo? info)
    {
        if (_complaints.TryGetValue(task.Id, out string? complaint) || info is null)
            return new Text($"! {complaint}", new Style(Color.Red));
        string proven = info.State == TaskState.Succeeded ? task.Proof.Describe(info.Result.Memory) : "";
        return new Text(Wording.Cut(proven.Length > 0 ? proven : Wording.Remark(info), _resultWidth));
    }

    private static IAnsiConsole PlainConsole(StringWriter text)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = PlainWidth;
        return console;
    }
}
