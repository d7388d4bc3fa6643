using System.Globalization;
using GrpcPool.V1;

namespace GrpcPool.Cli.Output;

/// <summary>How a pool is, in words and columns. What was changed at run time is followed by what the settings say, in brackets.</summary>
internal static class PoolSheet
{
    private static readonly string[] QueueHeads = ["QUEUE", "WAITING", "CAPACITY", "WHEN FULL", "RUNNING", "SLOTS", "LIMIT", "WEIGHT", "STATE"];
    private static readonly string[] WorkerHeads = ["ID", "NAME", "SLOTS", "STATE", "SINCE", "HEARD", "KINDS", "LABELS"];

    public static string Draw(PoolInfo pool)
    {
        var columns = new TextColumns();
        foreach ((string name, Cell value) in Fields(pool).Where(static field => field.Value.Text.Length > 0))
            columns.Add(new Cell(name, "grey"), value);
        return $"{columns}\n{DrawQueues(pool.Queues, pool.QueuesLeftOut)}";
    }

    public static string DrawQueues(IEnumerable<QueueInfo> queues, int leftOut = 0)
    {
        TextColumns columns = Headed(QueueHeads);
        foreach (QueueInfo queue in queues)
        {
            QueueRules? settings = queue.Configured;
            columns.Add(
                queue.Queue,
                Number(queue.Waiting),
                Changed(Number(queue.Capacity), settings is null ? null : Number(settings.Capacity)),
                Changed(NameOf(queue.WhenFull), settings is null ? null : NameOf(settings.WhenFull)),
                Number(queue.Running),
                Number(queue.SlotsInUse),
                Changed(queue.HasLimit ? Number(queue.Limit) : "-", settings is null ? null : settings.HasLimit ? Number(settings.Limit) : "-"),
                Changed(Number(queue.Weight), settings is null ? null : Number(settings.Weight)),
                queue.Paused ? new Cell("paused", "yellow") : new Cell("open", "green"));
        }

        return leftOut == 0 ? columns.ToString() : $"{columns}and {Wording.Count(leftOut, "more queue")}\n";
    }

    public static string DrawWorkers(IEnumerable<WorkerInfo> workers)
    {
        TextColumns columns = Headed(WorkerHeads);
        foreach (WorkerInfo worker in workers)
        {
            columns.Add(
                worker.WorkerId,
                worker.Name,
                $"{worker.SlotsInUse} of {worker.Slots}",
                StateOf(worker),
                Wording.Time(worker.ConnectedSince),
                Wording.Time(worker.LastHeartbeat),
                string.Join(' ', worker.Kinds),
                Wording.Line(string.Join(' ', worker.Labels.OrderBy(static label => label.Key, StringComparer.Ordinal).Select(static label => $"{label.Key}={label.Value}"))));
        }

        return columns.ToString();
    }

    /// <summary>A policy as it is written on the command line.</summary>
    public static string NameOf(FullQueuePolicy policy) => policy == FullQueuePolicy.DiscardOldest ? "discard-oldest" : policy.ToString().ToLowerInvariant();

    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string PerSecond(double rate) => rate < 100 ? string.Create(CultureInfo.InvariantCulture, $"{rate:0.0}/s") : $"{Number((long)Math.Round(rate))}/s";

    private static IEnumerable<(string Name, Cell Value)> Fields(PoolInfo pool) =>
    [
        ("state", StateOf(pool)),
        ("slots", $"{Number(pool.SlotsInUse)} of {Changed(Number(pool.Size), Number(pool.ConfiguredSize))} taken"),
        ("running", Number(pool.Running)),
        ("waiting", $"{Number(pool.Waiting)} of {Number(pool.Capacity)}"),
        ("workers", DescribeWorkers(pool.Workers)),
        ("rates", pool.Rates is { } rates ? $"{PerSecond(rates.Submitted)} in, {PerSecond(rates.Started)} started, {PerSecond(rates.Finished)} done, {PerSecond(rates.Failed)} failed" : ""),
        ("open since", Wording.Time(pool.OpenedAt)),
    ];

    private static Cell StateOf(PoolInfo pool) => pool switch
    {
        { Draining: true } => new Cell("draining", "yellow"),
        { NotReady.Length: > 0 } => new Cell(Wording.Line($"not ready: {pool.NotReady}"), "red"),
        _ => new Cell("open", "green"),
    };

    private static Cell StateOf(WorkerInfo worker) => worker switch
    {
        { Connected: false } => new Cell("away", "red"),
        { Draining: true } => new Cell("draining", "yellow"),
        _ => new Cell("connected", "green"),
    };

    private static string DescribeWorkers(WorkerTotals workers) => workers.Count == 0 ? "none" :
        $"{Number(workers.Count)}, {Number(workers.SlotsInUse)} of {Wording.Count(workers.Slots, "slot")} taken{(workers.Draining > 0 ? $", {Number(workers.Draining)} draining" : "")}";

    private static string Changed(string now, string? settings) => settings is null || settings == now ? now : $"{now} ({settings})";

    private static TextColumns Headed(string[] heads)
    {
        var columns = new TextColumns();
        columns.Add([.. heads.Select(static name => new Cell(name, "grey"))]);
        return columns;
    }
}
