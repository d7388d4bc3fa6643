using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace GrpcPool.Cli.Watching;

/// <summary>Draws the tasks that are watched, with their progress, for as long as there is news.</summary>
internal static class WatchTable
{
    private const int MarkWidth = 1;
    private const int KindWidth = 12;
    private const int IdWidthMax = 36;
    private const int Gaps = 10;

    /// <summary>Columns that stay free at the right: Ctrl-C shows as ^C behind the last row, and must not begin another.</summary>
    private const int SpareColumns = 3;
    private const int SpareRows = 3;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private static int Width => AnsiConsole.Profile.Width;

    private static int MeterWidth => Math.Clamp(Width / 5, 10, 30);

    /// <returns>The last task of which there was news.</returns>
    public static async Task<TaskInfo?> ShowAsync(IAsyncEnumerable<TaskEvent> feed)
    {
        var board = new WatchBoard();
        await AnsiConsole.Live(Draw(board)).Overflow(VerticalOverflow.Crop).StartAsync(async live =>
        {
            Task reading = ReadAsync(feed, board);
            await KeepDrawnAsync(reading, () => live.UpdateTarget(Draw(board))).ConfigureAwait(false);
            await reading.ConfigureAwait(false);
        }).ConfigureAwait(false);
        return board.Last;
    }

    /// <summary>Draws again and again, for the last time when all is read.</summary>
    internal static async Task KeepDrawnAsync(Task reading, Action draw)
    {
        while (!reading.IsCompleted)
        {
            draw();
            await Task.WhenAny(reading, Task.Delay(Tick, TimeProvider.System)).ConfigureAwait(false);
        }

        draw();
    }

    private static async Task ReadAsync(IAsyncEnumerable<TaskEvent> feed, WatchBoard board)
    {
        await foreach (TaskEvent told in feed.ConfigureAwait(false))
            board.Take(told);
    }

    private static IRenderable Draw(WatchBoard board)
    {
        TaskInfo[] tasks = board.Read();
        if (tasks.Length == 0)
            return new Markup("[grey]No tasks. Ctrl-C ends.[/]");

        TaskInfo[] shown = [.. tasks.Take(Math.Max(1, AnsiConsole.Profile.Height - SpareRows))];
        int idWidth = Math.Min(IdWidthMax, shown.Max(static task => task.Id.Length));
        int remarkWidth = Math.Max(8, Width - MarkWidth - idWidth - KindWidth - MeterWidth - Gaps - SpareColumns);
        Grid grid = Drawing.NewGrid(MarkWidth, idWidth, KindWidth, MeterWidth, remarkWidth);
        foreach (TaskInfo task in shown)
        {
            Text remark = Cut(Wording.RemarkWithProgress(task), remarkWidth);
            grid.AddRow(Drawing.Mark(task.State), Cut(task.Id, idWidth), Cut(task.Kind, KindWidth), Drawing.Meter(task, MeterWidth), remark);
        }

        return shown.Length == tasks.Length ? grid : new Rows(grid, new Markup($"[grey] and {Wording.Count(tasks.Length - shown.Length, "more task")}[/]"));
    }

    private static Text Cut(string text, int width) => new(Wording.Cut(text, width));
}
