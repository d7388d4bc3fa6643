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
    public const int WidthMin = 36;

    /// <summary>What it takes to show everything; a narrower screen shows less of it, and all of that.</summary>
    private const int WidthWide = 76;

    private const string Leaves = "q leaves";
    private const string SlotsWord = " slots";

    private const int LabelWidth = 8;
    private const int FiguresWidth = 24;
    private const int FiguresWidthNarrow = 18;
    private const int RatesWidth = 30;
    private const int SlotsWidth = 14;
    private const int SlotsWidthNarrow = 8;
    private const int WaitingWidth = 17;
    private const int WaitingWidthNarrow = 9;
    private const int RateWidth = 8;
    private const int StateWidth = 6;
    private const int KindWidthMax = 12;
    private const int IdWidthMax = 36;
    private const int TimeWidth = 9;
    private const int MeterWidthMin = 8;
    private const int RemarkWidthMin = 8;
    private const int MeterWidthNarrow = 6;

    /// <summary>What stands between two columns.</summary>
    private const int Gap = 2;

    /// <summary>The heading, three bars or as many and the rates, two lines of headings with one blank before each, and the last line.</summary>
    private int FixedRows => IsNarrow ? 12 : 11;

    private bool IsNarrow => width < WidthWide;

    /// <summary>Half of what is left goes to the queues at most.</summary>
    private int QueueRows => Math.Max(1, (height - FixedRows) / 2);

    private int NameWidth => Math.Clamp(width / 5, 10, 24);

    public IRenderable Draw(TopView view, DateTimeOffset now)
    {
        if (view.Pool is not { } pool)
            return new Rows(DrawHead(view, null), new Text(""), new Markup(" [grey]waiting for the server[/]"));
        QueueInfo[] queues = [.. pool.Queues.OrderByDescending(static queue => queue.Running > 0).ThenByDescending(static queue => queue.Waiting > 0).ThenBy(static queue => queue.Queue, StringComparer.Ordinal).Take(QueueRows)];
        int taskRows = Math.Max(1, height - FixedRows - queues.Length);
        return new Rows(
            DrawHead(view, pool),
            new Text(""),
            IsNarrow ? DrawBarsNarrow(pool) : DrawBars(pool, view.Finished),
            new Text(""),
            Heading($"queues: {pool.Queues.Count + pool.QueuesLeftOut}{(IsNarrow ? " (slots, waiting)" : "")}"),
            IsNarrow ? DrawQueuesNarrow(queues) : DrawQueues(queues, pool.Size),
            new Text(""),
            Heading($"running: {PoolSheet.Number(Math.Max(view.Running.Count, pool.Queues.Sum(static queue => queue.Running)))}"),
            IsNarrow ? DrawTasksNarrow(view.Running.Take(taskRows), now) : DrawTasks([.. view.Running.Take(taskRows)], now));
    }

    private Grid DrawHead(TopView view, PoolInfo? pool)
    {
        (string colour, string state, string since) = view.Trouble.Length > 0 ? ("red", $"no answer: {view.Trouble}", "")
            : pool is null ? ("default", "", "")
            : pool.Draining ? ("yellow", "draining", "")
            : pool.NotReady.Length > 0 ? ("red", Wording.Line(pool.NotReady), "")
            : ("green", "open", $" for {Span(pool.ReadAt.ToDateTimeOffset() - pool.OpenedAt.ToDateTimeOffset())}");
        string title = IsNarrow ? "top" : "grpcpool top";
        int room = width - title.Length - Leaves.Length - (3 * Gap);
        bool hasRoomForAddress = address.ToString().Length + state.Length + since.Length + Gap <= room;
        string where = hasRoomForAddress ? $"[grey]{Markup.Escape(address.ToString())}[/]  " : "";
        Grid grid = new() { Expand = true };
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(1, 0) });
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(1, 0), Alignment = Justify.Right });
        return grid.AddRow(new Markup($"[bold]{title}[/] {where}[{colour}]{Markup.Escape(Wording.Cut(state, room - since.Length))}[/][grey]{since}[/]"), new Markup($"[grey]{Leaves}[/]"));
    }

    private Grid DrawBars(PoolInfo pool, IReadOnlyList<double> finished)
    {
        int barWidth = BarWidth(LabelWidth, FiguresWidth, RatesWidth);
        Grid grid = Drawing.NewGrid(LabelWidth, barWidth, FiguresWidth, RatesWidth);
        PoolRates rates = pool.Rates ?? new PoolRates();
        string resized = pool.Size == pool.ConfiguredSize ? "" : $" [grey]({PoolSheet.Number(pool.ConfiguredSize)})[/]";
        Row("slots", pool.SlotsInUse, pool.Size, pool.SlotsInUse > pool.Size ? "yellow" : "aqua", $"{PoolSheet.Number(pool.SlotsInUse)} of {PoolSheet.Number(pool.Size)}{resized}",
            $"[grey]in[/] {PoolSheet.PerSecond(rates.Submitted)}  [grey]started[/] {PoolSheet.PerSecond(rates.Started)}");
        Row("workers", pool.Workers.SlotsInUse, pool.Workers.Slots, "aqua", DescribeWorkers(pool.Workers),
            $"[grey]done[/] {PoolSheet.PerSecond(rates.Finished)}  [{(rates.Failed > 0 ? "red" : "grey")}]failed {PoolSheet.PerSecond(rates.Failed)}[/]");
        Row("waiting", pool.Waiting, pool.Capacity, pool.Waiting >= pool.Capacity ? "red" : "blue", $"{PoolSheet.Number(pool.Waiting)} of {PoolSheet.Number(pool.Capacity)}",
            $"[grey]done[/] [green]{Sparkline(finished)}[/]");
        return grid;

        void Row(string name, long part, long whole, string colour, string text, string rest) =>
            grid.AddRow(new Markup($"[bold]{name}[/]"), Drawing.Bar(Share(part, whole), colour, barWidth), new Markup(text), new Markup(rest));
    }

    private Rows DrawBarsNarrow(PoolInfo pool)
    {
        int barWidth = BarWidth(LabelWidth, FiguresWidthNarrow);
        Grid grid = Drawing.NewGrid(LabelWidth, barWidth, FiguresWidthNarrow);
        PoolRates rates = pool.Rates ?? new PoolRates();
        Row("slots", pool.SlotsInUse, pool.Size, pool.SlotsInUse > pool.Size ? "yellow" : "aqua");
        Row("workers", pool.Workers.SlotsInUse, pool.Workers.Slots, "aqua");
        Row("waiting", pool.Waiting, pool.Capacity, pool.Waiting >= pool.Capacity ? "red" : "blue");
        Grid last = Drawing.NewGrid(LabelWidth, BarWidth(LabelWidth));
        string second = rates.Failed > 0 ? $"[red]{PoolSheet.PerSecond(rates.Failed)} failed[/]" : $"{PoolSheet.PerSecond(rates.Submitted)} [grey]in[/]";
        last.AddRow(new Markup("[bold]rates[/]"), new Markup($"{PoolSheet.PerSecond(rates.Finished)} [grey]done[/], {second}"));
        return new Rows(grid, last);

        void Row(string name, long part, long whole, string colour) =>
            grid.AddRow(new Markup($"[bold]{name}[/]"), Drawing.Bar(Share(part, whole), colour, barWidth), new Markup(whole == 0 ? "[grey]none[/]" : Of(part, whole, FiguresWidthNarrow)));
    }

    private Grid DrawQueues(IEnumerable<QueueInfo> queues, int poolSize)
    {
        int barWidth = BarWidth(NameWidth, SlotsWidth, WaitingWidth, RateWidth, StateWidth);
        Grid grid = Drawing.NewGrid(NameWidth, barWidth, SlotsWidth, WaitingWidth, RateWidth, StateWidth);
        foreach (QueueInfo queue in queues)
        {
            PoolRates rates = queue.Rates ?? new PoolRates();
            grid.AddRow(
                Cut(queue.Queue, NameWidth),
                Drawing.Bar((double)queue.SlotsInUse / (queue.HasLimit ? queue.Limit : poolSize), queue.HasLimit ? "aqua" : "blue", barWidth),
                new Markup($"{Slots(queue, SlotsWidth - SlotsWord.Length)}[grey]{(queue is { SlotsInUse: 1, HasLimit: false } ? SlotsWord[..^1] : SlotsWord)}[/]"),
                new Markup($"{Waiting(queue)} [grey]waiting[/]"),
                new Markup(PoolSheet.PerSecond(rates.Finished)),
                new Markup(queue.Paused ? "[yellow]paused[/]" : "[green]open[/]"));
        }

        return grid;
    }

    private Grid DrawQueuesNarrow(IEnumerable<QueueInfo> queues)
    {
        int nameWidth = BarWidth(SlotsWidthNarrow, WaitingWidthNarrow);
        Grid grid = Drawing.NewGrid(nameWidth, SlotsWidthNarrow, WaitingWidthNarrow);
        foreach (QueueInfo queue in queues)
        {
            string paused = queue.Paused ? " paused" : "";
            grid.AddRow(
                new Markup($"{Markup.Escape(Wording.Cut(queue.Queue, nameWidth - paused.Length))}[yellow]{paused}[/]"),
                new Markup(Slots(queue, SlotsWidthNarrow)),
                new Markup(Waiting(queue)));
        }

        return grid;
    }

    private static string Waiting(QueueInfo queue)
    {
        double share = Share(queue.Waiting, queue.Capacity);
        return $"[{(share >= 1 ? "red" : share >= 0.8 ? "yellow" : queue.Waiting > 0 ? "default" : "grey")}]{PoolSheet.Number(queue.Waiting)}[/]";
    }

    /// <summary>Ids come first: they are what is copied. What is left is for how far a task is, and then for what it says.</summary>
    private Grid DrawTasks(TaskInfo[] tasks, DateTimeOffset now)
    {
        int idWidth = Math.Clamp(tasks.Select(static task => task.Id.Length).DefaultIfEmpty().Max(), 4, Math.Min(IdWidthMax, width / 2));
        int kindWidth = Math.Clamp(tasks.Select(static task => task.Kind.Length).DefaultIfEmpty().Max(), 4, KindWidthMax);
        int left = BarWidth(1, idWidth, kindWidth, TimeWidth, 0);
        int barWidth = Math.Min(left, Math.Max(MeterWidthMin, left * 2 / 5)), remarkWidth = left - barWidth;
        bool hasRemarks = remarkWidth >= RemarkWidthMin;
        Grid grid = Drawing.NewGrid([1, idWidth, kindWidth, barWidth, TimeWidth, .. hasRemarks ? (int[])[remarkWidth] : []]);
        foreach (TaskInfo task in tasks)
        {
            Text kind = new(Wording.Cut(task.Kind, kindWidth), new Style(Color.Grey));
            grid.AddRow([Drawing.Mark(task.State), Id(task, idWidth), kind, Drawing.Meter(task, barWidth), Took(task, now), .. hasRemarks ? (Text[])[Cut(Wording.RemarkWithProgress(task), remarkWidth)] : []]);
        }

        return OrNothing(grid);
    }

    private Grid DrawTasksNarrow(IEnumerable<TaskInfo> tasks, DateTimeOffset now)
    {
        int idWidth = BarWidth(1, MeterWidthNarrow, TimeWidth);
        Grid grid = Drawing.NewGrid(1, idWidth, MeterWidthNarrow, TimeWidth);
        foreach (TaskInfo task in tasks)
            grid.AddRow(Drawing.Mark(task.State), Id(task, idWidth), Drawing.Meter(task, MeterWidthNarrow), Took(task, now));
        return OrNothing(grid);
    }

    private static Grid OrNothing(Grid grid) => grid.Rows.Count == 0 ? grid.AddRow(new Text(""), new Markup("[grey]nothing[/]")) : grid;

    private static Text Took(TaskInfo task, DateTimeOffset now) => new(task.StartedAt is null ? "" : Span(now - task.StartedAt.ToDateTimeOffset()));

    /// <summary>Ids that the server makes begin alike and end unlike: what is cut out is the middle.</summary>
    private static Text Id(TaskInfo task, int width) => new(task.Id.Length <= width ? task.Id : $"{task.Id[..((width - 1) / 2)]}…{task.Id[^(width / 2)..]}");

    private static double Share(long part, long whole) => whole == 0 ? 0 : (double)part / whole;

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
        : $"{PoolSheet.Number(workers.Count)}, {PoolSheet.Number(workers.SlotsInUse)} of {PoolSheet.Number(workers.Slots)} [grey]slots[/]";

    /// <summary>So many of so many, as far as there is room for both.</summary>
    private static string Of(long part, long whole, int room)
    {
        string both = $"{PoolSheet.Number(part)} of {PoolSheet.Number(whole)}";
        return both.Length <= room ? both : PoolSheet.Number(part);
    }

    private static string Slots(QueueInfo queue, int room) => queue.HasLimit ? Of(queue.SlotsInUse, queue.Limit, room) : PoolSheet.Number(queue.SlotsInUse);

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
