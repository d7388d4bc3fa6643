using System.Globalization;
using GrpcPool.Cli.Output;
using GrpcPool.V1;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace GrpcPool.Cli.Watching;

/// <summary>Draws <c>top</c>: the pool as a whole, its queues, and what runs, as far as the screen goes.</summary>
/// <param name="address">The server.</param>
/// <param name="width">How many columns the screen has.</param>
/// <param name="height">How many rows.</param>
internal sealed class TopScreen(Uri address, int width, int height)
{
    /// <summary>What it takes at least; a narrower screen shows the left of it.</summary>
    public const int WidthMin = 76;

    private const int LabelWidth = 8;
    private const int FiguresWidth = 24;
    private const int RatesWidth = 30;
    private const int SlotsWidth = 14;
    private const int WaitingWidth = 16;
    private const int RateWidth = 8;
    private const int StateWidth = 7;
    private const int KindWidth = 12;
    private const int TimeWidth = 9;

    /// <summary>What stands between two columns.</summary>
    private const int Gap = 2;

    /// <summary>The heading, three bars, two lines of headings with one blank before each, and the last line.</summary>
    private const int FixedRows = 11;

    /// <summary>Half of what is left goes to the queues at most.</summary>
    private int QueueRows => Math.Max(1, (height - FixedRows) / 2);

    private int NameWidth => Math.Clamp(width / 5, 10, 24);

    private int IdWidth => Math.Clamp(width / 4, 12, 36);

    public IRenderable Draw(TopView view, DateTimeOffset now)
    {
        if (view.Pool is not { } pool)
            return new Rows(DrawHead(view, null), new Text(""), new Markup(" [grey]waiting for the server[/]"));
        QueueInfo[] queues = [.. pool.Queues.OrderByDescending(static queue => queue.Running > 0).ThenByDescending(static queue => queue.Waiting > 0).ThenBy(static queue => queue.Queue, StringComparer.Ordinal).Take(QueueRows)];
        int taskRows = Math.Max(1, height - FixedRows - queues.Length);
        return new Rows(
            DrawHead(view, pool),
            new Text(""),
            DrawBars(pool, view.Finished),
            new Text(""),
            Heading($"queues: {pool.Queues.Count + pool.QueuesLeftOut}"),
            DrawQueues(queues, pool.Size),
            new Text(""),
            Heading($"running: {PoolSheet.Number(Math.Max(view.Running.Count, pool.Queues.Sum(static queue => queue.Running)))}"),
            DrawTasks(view.Running.Take(taskRows), now));
    }

    private Grid DrawHead(TopView view, PoolInfo? pool)
    {
        string state = view.Trouble.Length > 0 ? $"[red]{Markup.Escape(Wording.Cut($"no answer: {view.Trouble}", Math.Max(20, width - 45)))}[/]"
            : pool is null ? ""
            : pool.Draining ? "[yellow]draining[/]"
            : pool.NotReady.Length > 0 ? $"[red]{Markup.Escape(Wording.Cut(Wording.Line(pool.NotReady), Math.Max(20, width - 45)))}[/]"
            : $"[green]open[/] [grey]for {Span(pool.ReadAt.ToDateTimeOffset() - pool.OpenedAt.ToDateTimeOffset())}[/]";
        Grid grid = new() { Expand = true };
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(1, 0) });
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(1, 0), Alignment = Justify.Right });
        return grid.AddRow(new Markup($"[bold]grpcpool top[/] [grey]{Markup.Escape(address.ToString())}[/]  {state}"), new Markup("[grey]q leaves[/]"));
    }

    private Grid DrawBars(PoolInfo pool, IReadOnlyList<double> finished)
    {
        int barWidth = BarWidth(LabelWidth, FiguresWidth, RatesWidth);
        Grid grid = Drawing.NewGrid(LabelWidth, barWidth, FiguresWidth, RatesWidth);
        PoolRates rates = pool.Rates ?? new PoolRates();
        string resized = pool.Size == pool.ConfiguredSize ? "" : $" [grey](settings: {PoolSheet.Number(pool.ConfiguredSize)})[/]";
        Row("slots", pool.SlotsInUse, pool.Size, pool.SlotsInUse > pool.Size ? "yellow" : "aqua", $"{PoolSheet.Number(pool.SlotsInUse)} of {PoolSheet.Number(pool.Size)}{resized}",
            $"[grey]in[/] {PoolSheet.PerSecond(rates.Submitted)}  [grey]started[/] {PoolSheet.PerSecond(rates.Started)}");
        Row("workers", pool.Workers.SlotsInUse, pool.Workers.Slots, "aqua", DescribeWorkers(pool.Workers),
            $"[grey]done[/] {PoolSheet.PerSecond(rates.Finished)}  [{(rates.Failed > 0 ? "red" : "grey")}]failed {PoolSheet.PerSecond(rates.Failed)}[/]");
        Row("waiting", pool.Waiting, pool.Capacity, pool.Waiting >= pool.Capacity ? "red" : "blue", $"{PoolSheet.Number(pool.Waiting)} of {PoolSheet.Number(pool.Capacity)}",
            $"[grey]done[/] [green]{Sparkline(finished)}[/]");
        return grid;

        void Row(string name, long part, long whole, string colour, string text, string rest) =>
            grid.AddRow(new Markup($"[bold]{name}[/]"), Drawing.Bar(whole == 0 ? 0 : (double)part / whole, colour, barWidth), new Markup(text), new Markup(rest));
    }

    private Grid DrawQueues(IEnumerable<QueueInfo> queues, int poolSize)
    {
        int barWidth = BarWidth(NameWidth, SlotsWidth, WaitingWidth, RateWidth, StateWidth);
        Grid grid = Drawing.NewGrid(NameWidth, barWidth, SlotsWidth, WaitingWidth, RateWidth, StateWidth);
        foreach (QueueInfo queue in queues)
        {
            PoolRates rates = queue.Rates ?? new PoolRates();
            double share = queue.Capacity == 0 ? 0 : (double)queue.Waiting / queue.Capacity;
            grid.AddRow(
                Cut(queue.Queue, NameWidth),
                Drawing.Bar((double)queue.SlotsInUse / (queue.HasLimit ? queue.Limit : poolSize), queue.HasLimit ? "aqua" : "blue", barWidth),
                new Markup($"{PoolSheet.Number(queue.SlotsInUse)}{(queue.HasLimit ? $" of {PoolSheet.Number(queue.Limit)}" : "")} [grey]slots[/]"),
                new Markup($"[{(share >= 1 ? "red" : share >= 0.8 ? "yellow" : queue.Waiting > 0 ? "default" : "grey")}]{PoolSheet.Number(queue.Waiting)}[/] [grey]waiting[/]"),
                new Markup(PoolSheet.PerSecond(rates.Finished)),
                new Markup(queue.Paused ? "[yellow]paused[/]" : "[green]open[/]"));
        }

        return grid;
    }

    private Grid DrawTasks(IEnumerable<TaskInfo> tasks, DateTimeOffset now)
    {
        int left = BarWidth(1, IdWidth, KindWidth, TimeWidth, 0);
        int barWidth = Math.Max(8, left * 2 / 5), remarkWidth = Math.Max(8, left - barWidth);
        Grid grid = Drawing.NewGrid(1, IdWidth, KindWidth, barWidth, TimeWidth, remarkWidth);
        foreach (TaskInfo task in tasks)
        {
            string took = task.StartedAt is null ? "" : Span(now - task.StartedAt.ToDateTimeOffset());
            string remark = Wording.RemarkWithProgress(task);
            grid.AddRow(Drawing.Mark(task.State), Cut(task.Id, IdWidth), new Text(Wording.Cut(task.Kind, KindWidth), new Style(Color.Grey)), Drawing.Meter(task, barWidth), new Text(took), Cut(remark, remarkWidth));
        }

        if (grid.Rows.Count == 0)
            grid.AddRow(new Text(""), new Markup("[grey]nothing[/]"));
        return grid;
    }

    /// <summary>What the other columns leave for one more.</summary>
    private int BarWidth(params ReadOnlySpan<int> others)
    {
        int left = width - ((others.Length + 1) * Gap);
        foreach (int other in others)
            left -= other;
        return Math.Clamp(left, 4, 60);
    }

    private Markup Heading(string text) => new($" [grey]── {text} {new string('─', Math.Max(0, width - text.Length - 6))}[/]");

    private static string DescribeWorkers(WorkerTotals workers) => workers.Count == 0 ? "[grey]none[/]"
        : $"{PoolSheet.Number(workers.SlotsInUse)} of {PoolSheet.Number(workers.Slots)} [grey]slots of {Wording.Count(workers.Count, "worker")}[/]";

    /// <summary>The latest numbers as a row of bars, the highest of them full.</summary>
    private static string Sparkline(IReadOnlyList<double> numbers)
    {
        const string Bars = "▁▂▃▄▅▆▇█";
        double max = numbers.Count == 0 ? 0 : numbers.Max();
        return string.Concat(numbers.TakeLast(RatesWidth - 5).Select(number => Bars[max <= 0 ? 0 : (int)Math.Round(number / max * (Bars.Length - 1))]));
    }

    private static string Span(TimeSpan span) => span switch
    {
        { TotalSeconds: < 0 } => "0 s",
        { TotalSeconds: < 60 } => Wording.Seconds(span),
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{span.Minutes} m {span.Seconds:00} s"),
        { TotalDays: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{span.Hours} h {span.Minutes:00} m"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{span.Days} d {span.Hours} h"),
    };

    private static Text Cut(string text, int width) => new(Wording.Cut(Wording.Line(text), width));
}
