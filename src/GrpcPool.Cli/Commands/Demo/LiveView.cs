using GrpcPool.Cli.Output;
using GrpcPool.V1;
using Spectre.Console;

namespace GrpcPool.Cli.Commands.Demo;

/// <summary>Draws the queues, the tasks at work with their progress, and the latest endings; the picture is cleared at the end.</summary>
internal sealed class LiveView : IDemoView
{
    private const int HeightMax = 34;
    private const int HeadRows = 8;
    private const int AtWorkRows = DemoSettings.Slots + 2;
    private const int MarkWidth = 1;
    private const int NameWidth = 18;
    private const int QueueWidth = 8;
    private const int Gap = 2;

    private static int Width => Math.Max(60, AnsiConsole.Profile.Width);

    private static int MeterWidth => Math.Clamp(Width - 80, 16, 30);

    private static int RemarkWidth => Width - MarkWidth - NameWidth - QueueWidth - MeterWidth - (5 * Gap);

    private static int EndedRows => Math.Max(1, Math.Min(AnsiConsole.Profile.Height, HeightMax) - AtWorkRows - HeadRows);

    public Task ShowAsync(DemoBoard board, Func<Action, Task> run) =>
        AnsiConsole.Live(Draw(board)).AutoClear(true).Overflow(VerticalOverflow.Crop).StartAsync(live => run(() => live.UpdateTarget(Draw(board))));

    private static Rows Draw(DemoBoard board)
    {
        TaskInfo[] atWork = [.. board.Infos.Where(task => !DemoBoard.IsFinal(task)).OrderBy(Drawing.Rank)];
        TaskInfo[] ended = [.. board.Changes.Select(change => change.Task).Where(DemoBoard.IsFinal).Reverse()];
        return new Rows(
            DrawQueues(board),
            Heading($"at work and waiting: {atWork.Length}"),
            DrawTasks(atWork, AtWorkRows, static task => Drawing.Meter(task, MeterWidth)),
            Heading($"ended: {ended.Length}"),
            DrawTasks(ended, EndedRows, task => new Markup($"[grey]{Wording.Duration(task)}[/]")));
    }

    private static Grid DrawQueues(DemoBoard board)
    {
        Grid grid = Drawing.NewGrid(MarkWidth + Gap + NameWidth, QueueWidth, MeterWidth, RemarkWidth);
        foreach ((string queue, int limit) in DemoSettings.Limits)
        {
            int total = board.Tasks.Count(task => task.Spec.Queue == queue);
            Row($"[bold]queue {queue}[/]", "green", limit, total, board.Infos.Where(task => task.Queue == queue));
        }

        Row($"[grey]whole pool, {Wording.Seconds(board.Elapsed)}[/]", "blue", DemoSettings.Slots, board.Tasks.Count, board.Infos);
        return grid;

        void Row(string name, string colour, int limit, int total, IEnumerable<TaskInfo> tasks)
        {
            int ended = tasks.Count(DemoBoard.IsFinal);
            int taken = tasks.Where(task => task.State == TaskState.Running).Sum(task => task.Slots);
            var slots = new Markup($"[aqua]{taken}[/] of {limit} slots taken");
            grid.AddRow(new Markup(name), new Markup($"{ended,2} of {total}"), Drawing.Bar((double)ended / total, colour, MeterWidth), slots);
        }
    }

    private static Grid DrawTasks(IEnumerable<TaskInfo> tasks, int rows, Func<TaskInfo, Markup> meter)
    {
        Grid grid = Drawing.NewGrid(MarkWidth, NameWidth, QueueWidth, MeterWidth, RemarkWidth);
        foreach (TaskInfo task in tasks.Take(rows))
            grid.AddRow(Drawing.Mark(task.State), new Text(task.Id), new Markup($"[grey]{task.Queue}[/]"), meter(task), Remark(task));

        // The picture's height stays the same.
        while (grid.Rows.Count < rows)
            grid.AddEmptyRow();
        return grid;
    }

    private static Text Remark(TaskInfo task) => new(Wording.Cut(Wording.Remark(task), RemarkWidth), new Style(Color.Grey));

    private static Markup Heading(string text) => new($" [grey]── {text} {new string('─', Width - text.Length - 6)}[/]");
}
