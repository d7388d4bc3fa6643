using GrpcPool.V1;
using Spectre.Console;

namespace GrpcPool.Cli.Output;

/// <summary>The pieces of which live pictures are made.</summary>
internal static class Drawing
{
    public static (string Mark, string Colour) MarkOf(TaskState state) => state switch
    {
        TaskState.Running => ("▶", "aqua"),
        TaskState.Retrying => ("↻", "yellow"),
        TaskState.Succeeded => ("✓", "green"),
        TaskState.Failed => ("✗", "red"),
        TaskState.Cancelled => ("■", "yellow"),
        TaskState.Expired => ("■", "fuchsia"),
        _ => ("·", "grey"),
    };

    public static Markup Mark(TaskState state)
    {
        (string mark, string colour) = MarkOf(state);
        return new Markup($"[{colour}]{mark}[/]");
    }

    public static Markup Bar(double fraction, string colour, int width)
    {
        int done = (int)Math.Round(Math.Clamp(fraction, 0, 1) * width);
        return new Markup($"[{colour}]{new string('━', done)}[/][grey23]{new string('━', width - done)}[/]");
    }

    /// <summary>What a running task has done, or the state of another.</summary>
    public static Markup Meter(TaskInfo task, int width) => task.State == TaskState.Running
        ? Bar(task.Progress?.Fraction ?? 0, "aqua", width)
        : new Markup($"[grey]{Wording.NameOf(task.State)}[/]");

    public static Grid NewGrid(params ReadOnlySpan<int> widths)
    {
        var grid = new Grid { Expand = false };
        foreach (int width in widths)
            grid.AddColumn(new GridColumn { Width = width, NoWrap = true, Padding = new Padding(1, 0) });
        return grid;
    }

    /// <summary>What is at work comes first.</summary>
    public static int Rank(TaskInfo task) => task.State switch
    {
        TaskState.Running => 0,
        TaskState.Retrying => 1,
        TaskState.Queued => 2,
        _ => 3,
    };
}
