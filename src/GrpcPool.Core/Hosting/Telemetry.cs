using System.Diagnostics;

namespace GrpcPool.Core.Hosting;

/// <summary>An instrument as it is seen from outside.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Unit">Its unit, in the notation of UCUM; empty for none.</param>
/// <param name="Description">What it tells.</param>
internal readonly record struct MetricName(string Name, string Unit, string Description);

/// <summary>
/// The names of all that is measured and traced. Those of calls are of the semantic conventions of OpenTelemetry; for a pool of tasks there are none, so the others begin with
/// <c>grpcpool.</c> and follow its rules for names.
/// </summary>
internal static class Telemetry
{
    /// <summary>Of the meter, and of the source of spans.</summary>
    public const string Name = "GrpcPool";

    /// <summary>The queues that have a time series of their own, and the kinds: those beyond share one.</summary>
    public const int SeriesMax = 100;

    /// <summary>In the place of a name that is not told apart.</summary>
    public const string Other = "_OTHER";

    /// <summary>A name of several words as metrics have it: <c>QueueFull</c> is <c>queue_full</c>.</summary>
    public static string Words(string name) => string.Concat(name.Select((c, i) => i > 0 && char.IsAsciiLetterUpper(c) && !char.IsAsciiLetterUpper(name[i - 1]) ? $"_{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));

    public static readonly string Version = typeof(Telemetry).Assembly.GetName().Version!.ToString(3);

    public static readonly ActivitySource Source = new(Name, Version);

    public static readonly MetricName Submissions = new("grpcpool.task.submissions", "{task}", "Tasks that were accepted.");
    public static readonly MetricName Refusals = new("grpcpool.task.refusals", "{task}", "Tasks that were not accepted, by the reason.");
    public static readonly MetricName Endings = new("grpcpool.task.endings", "{task}", "Tasks that ended, by the state.");
    public static readonly MetricName Retries = new("grpcpool.attempt.retries", "{attempt}", "Attempts that failed or were lost and are followed by another.");
    public static readonly MetricName Losses = new("grpcpool.attempt.losses", "{attempt}", "Attempts that were lost with their host: a lease that was not renewed, a crash.");
    public static readonly MetricName AttemptDuration = new("grpcpool.attempt.duration", "s", "How long attempts took, by the kind and by what became of them.");
    public static readonly MetricName QueueTasks = new("grpcpool.queue.tasks", "{task}", "Tasks in a queue that have not ended, by the state.");
    public static readonly MetricName QueueOldest = new("grpcpool.queue.oldest", "s", "How long the oldest task of a queue that could start has waited.");
    public static readonly MetricName QueueWait = new("grpcpool.queue.wait", "s", "How long tasks waited in a queue from when they were due to the start of their attempt.");
    public static readonly MetricName SlotLimit = new("grpcpool.slot.limit", "{slot}", "Slots of the server itself.");
    public static readonly MetricName SlotUsage = new("grpcpool.slot.usage", "{slot}", "Slots of the server itself that are taken.");
    public static readonly MetricName Ready = new("grpcpool.ready", "", "1 while new tasks are taken, 0 while not: at a start, in a drain, while the store is in trouble.");
    public static readonly MetricName CommitDuration = new("grpcpool.store.commit.duration", "s", "How long commits to the store took.");
    public static readonly MetricName CommitSize = new("grpcpool.store.commit.size", "{command}", "Commands in one commit.");
    public static readonly MetricName CommitFailures = new("grpcpool.store.commit.failures", "{commit}", "Commits that failed.");
    public static readonly MetricName Waiters = new("grpcpool.waiter.usage", "{call}", "Submissions that wait for room in a queue.");
    public static readonly MetricName Watches = new("grpcpool.watch.usage", "{watch}", "Watches that are open.");
    public static readonly MetricName Evictions = new("grpcpool.watch.evictions", "{stream}", "Streams that were ended since nobody read them.");
    public static readonly MetricName Workers = new("grpcpool.worker.usage", "{worker}", "Workers that are connected, or have just been.");
    public static readonly MetricName WorkerSlots = new("grpcpool.worker.slot.limit", "{slot}", "Slots of all workers.");
    public static readonly MetricName Fences = new("grpcpool.lease.fences", "{report}", "Reports on attempts by somebody whose lease stands no longer: they changed nothing.");
    public static readonly MetricName ProcessFailures = new("grpcpool.worker.process.failures", "{process}", "Supervised worker processes that ended by themselves, could not be started or were given up.");
    public static readonly MetricName CallDuration = new("rpc.server.call.duration", "s", "How long calls took, streams included.");

    /// <summary>The names of what metrics and spans say more of.</summary>
    public static class Keys
    {
        public const string Namespace = "grpcpool.namespace";
        public const string Queue = "grpcpool.queue.name";
        public const string Kind = "grpcpool.task.kind";
        public const string Task = "grpcpool.task.id";
        public const string State = "grpcpool.task.state";
        public const string Reason = "grpcpool.refusal.reason";
        public const string Attempt = "grpcpool.attempt.number";
        public const string Outcome = "grpcpool.attempt.outcome";
        public const string Worker = "grpcpool.worker.name";
        public const string Program = "grpcpool.worker.process.name";
        public const string RpcSystem = "rpc.system.name";
        public const string RpcMethod = "rpc.method";
        public const string RpcStatus = "rpc.response.status_code";
        public const string ErrorType = "error.type";
    }

    /// <summary>The bounds of histograms, in seconds but for the last.</summary>
    public static class Buckets
    {
        /// <summary>For calls and commits.</summary>
        public static readonly double[] Short = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

        /// <summary>For tasks.</summary>
        public static readonly double[] Long = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];

        /// <summary>For how many there are.</summary>
        public static readonly int[] Sizes = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
    }
}
