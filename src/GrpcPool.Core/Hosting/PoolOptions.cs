using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Hosting;

/// <summary>All settings of the pool. The ranges are checked at start, all violations in one message.</summary>
public sealed class GrpcPoolOptions
{
    /// <summary>The name of the queue that stands for those that are not named.</summary>
    public const string DefaultQueue = "default";

    /// <summary>The namespace of those who do not name one.</summary>
    internal const string DefaultNamespace = "default";

    /// <summary>Slots and bounds of the whole pool.</summary>
    public PoolOptions Pool { get; } = new();

    /// <summary>The queues by name; one that is not named here gets the settings of <c>default</c>.</summary>
    public Dictionary<string, QueueOptions> Queues { get; } = new(StringComparer.Ordinal) { [DefaultQueue] = new() };

    /// <summary>The namespaces by name; one that is not named here has the weight 1. None by default.</summary>
    public Dictionary<string, NamespaceOptions> Namespaces { get; } = new(StringComparer.Ordinal);

    /// <summary>What holds for tasks of a kind, by kind. Nothing by default.</summary>
    public Dictionary<string, KindOptions> Kinds { get; } = new(StringComparer.Ordinal);

    /// <summary>The commands that run as handlers, by kind.</summary>
    public Dictionary<string, CommandOptions> Commands { get; } = new(StringComparer.Ordinal);

    /// <summary>The web applications that run as handlers, by kind.</summary>
    public Dictionary<string, HttpHandlerOptions> HttpHandlers { get; } = new(StringComparer.Ordinal);

    /// <summary>The schedules by id, in the namespace <c>default</c>.</summary>
    public Dictionary<string, ScheduleOptions> Schedules { get; } = new(StringComparer.Ordinal);

    /// <summary>The handlers that the host brings.</summary>
    internal List<HandlerRegistration> Handlers { get; } = [];

    /// <summary>Whether the kinds <c>echo</c>, <c>sleep</c> and <c>fail</c> exist. True by default.</summary>
    public bool BuiltInKinds { get; set; } = true;

    /// <summary>What becomes of a task whose kind nobody has ever declared.</summary>
    public UndeclaredKinds UndeclaredKinds { get; set; } = UndeclaredKinds.Reject;

    /// <summary>Where tasks are kept.</summary>
    public StorageOptions Storage { get; } = new();

    /// <summary>The retry policy's values where a task does not set them.</summary>
    public RetryPolicy Retry { get; set; } = new();

    /// <summary>How workers are looked after.</summary>
    public WorkerOptions Workers { get; } = new();

    /// <summary>The bounds that keep one caller from harming the others.</summary>
    public LimitOptions Limits { get; } = new();

    /// <summary>How many changes the store keeps for watches that resume.</summary>
    internal int HistoryMax => Limits.WatchHistory ?? (Storage.Type == StorageType.Memory ? 1_000_000 : 10_000_000);

    /// <summary>The weight of a namespace, its own or 1.</summary>
    internal int WeightOf(string @namespace) => Namespaces.TryGetValue(@namespace, out NamespaceOptions? options) ? options.Weight : 1;

    /// <summary>The settings of a queue, its own or those of <c>default</c>.</summary>
    internal QueueOptions QueueOrDefault(string name) => Queues.TryGetValue(name, out QueueOptions? options) ? options : Queues[DefaultQueue];
}

/// <summary>Slots and bounds of the whole pool.</summary>
public sealed class PoolOptions
{
    /// <summary>How many slots the server's own handlers share, 1–100,000. By default the larger of 16 and 4 × cores.</summary>
    public int Slots { get; set; } = Math.Max(16, 4 * Environment.ProcessorCount);

    /// <summary>How many waiting tasks (scheduled, queued, retrying) all queues hold together, 1–1,000,000,000. 1,000,000 by default.</summary>
    public int Capacity { get; set; } = 1_000_000;

    /// <summary>How many finished tasks are kept, 0–1,000,000,000; the oldest finished leave first. 1,000,000 by default.</summary>
    public int FinishedMax { get; set; } = 1_000_000;

    /// <summary>How long running attempts may go on after a shutdown was asked for, 0 s – 1 hour. 25 s by default.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(25);
}

/// <summary>Where tasks are kept.</summary>
public sealed class StorageOptions
{
    /// <summary>The sort of store. A database on disk by default.</summary>
    public StorageType Type { get; set; } = StorageType.Sqlite;

    /// <summary>The file of the database, by default <c>data/grpcpool.db</c> in the working directory. Its folder is made where it is missing.</summary>
    public string Path { get; set; } = "data/grpcpool.db";

    /// <summary>When a commit counts as done. Full by default.</summary>
    public Synchronous Synchronous { get; set; } = Synchronous.Full;
}

/// <summary>The sort of store.</summary>
public enum StorageType
{
    /// <summary>An SQLite database on this machine's disk.</summary>
    Sqlite,

    /// <summary>Memory: tasks end with the process.</summary>
    Memory,
}

/// <summary>When a commit to the database counts as done.</summary>
public enum Synchronous
{
    /// <summary>When it is on the medium: what was accepted survives the process, the system and the power.</summary>
    Full,

    /// <summary>When the system has it: it survives the process, while a crash of the system or the power may take the newest commits.</summary>
    Normal,

    /// <summary>As before, and such a crash may damage the database.</summary>
    Off,
}

/// <summary>The settings of one queue. They hold for the queue of that name in every namespace.</summary>
public sealed class QueueOptions
{
    /// <summary>How many waiting tasks (scheduled, queued, retrying) the queue holds, 1–1,000,000,000. 100,000 by default.</summary>
    public int Capacity { get; set; } = 100_000;

    /// <summary>What becomes of a submission while the queue is full. Reject by default.</summary>
    public FullPolicy WhenFull { get; set; } = FullPolicy.Reject;

    /// <summary>How many slots the queue's running tasks take at most, 1–1,000,000; null (the default) for no limit of its own.</summary>
    public int? Limit { get; set; }

    /// <summary>The queue's share of the starts against the other queues of its namespace, 1–1,000. 1 by default.</summary>
    public int Weight { get; set; } = 1;

    /// <summary>How long a finished task is kept where it does not say so itself, 0 s – 365 days. 1 day by default.</summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How often the queue's attempts may start, in each namespace. No limit by default.</summary>
    public RateOptions Rate { get; } = new();
}

/// <summary>The settings of one namespace.</summary>
public sealed class NamespaceOptions
{
    /// <summary>The namespace's share of the starts against the other namespaces, however many queues it has, 1–1,000. 1 by default.</summary>
    public int Weight { get; set; } = 1;
}

/// <summary>What becomes of a submission while its queue is full.</summary>
public enum FullPolicy
{
    /// <summary>It is refused at once.</summary>
    Reject,

    /// <summary>It waits for room, first come first served.</summary>
    Wait,

    /// <summary>The oldest never-started task of no higher priority makes room.</summary>
    DiscardOldest,
}

/// <summary>What becomes of a task whose kind no handler and no worker has ever declared.</summary>
public enum UndeclaredKinds
{
    /// <summary>It is refused.</summary>
    Reject,

    /// <summary>It waits until somebody runs its kind.</summary>
    Queue,
}

/// <summary>What the attempts of one kind may take.</summary>
public class HandlerOptions
{
    /// <summary>The longest attempt, 1 ms – 30 days; null (the default) for no limit. A task's own <c>run_timeout</c> can only be shorter.</summary>
    public TimeSpan? RunTimeout { get; set; }

    /// <summary>How long after it was asked to stop a timed-out attempt is stopped by force, 0 s – 1 hour. 10 s by default.</summary>
    public TimeSpan KillAfter { get; set; } = HandlerRegistry.DefaultKillAfter;
}

/// <summary>One kind that a child process runs. A timed-out attempt is asked to stop by SIGTERM.</summary>
public sealed class CommandOptions : HandlerOptions
{
    /// <summary>The program, an absolute path.</summary>
    public string Command { get; set; } = "";

    /// <summary>Its arguments, handed over as they are: there is no shell.</summary>
    public List<string> Arguments { get; } = [];

    /// <summary>Its whole environment, beside <c>PATH</c> (a plain default unless set here) and the <c>GRPCPOOL_…</c> variables.</summary>
    public Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    /// <summary>Its working directory, an absolute path; null (the default) for the root directory.</summary>
    public string? WorkingDirectory { get; set; }

    /// <summary>The media type of the result, empty by default.</summary>
    public string ContentType { get; set; } = "";

    /// <summary>The largest standard output, 1 byte – 1 GiB; more fails the task. Null (the default): <c>Limits:ResultBytesMax</c>.</summary>
    public int? OutputBytesMax { get; set; }
}

/// <summary>How workers are looked after.</summary>
public sealed class WorkerOptions
{
    /// <summary>How long a worker's lease on an attempt stands without being renewed, 1 s – 1 hour. 30 s by default.</summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often worker and pool tell each other that they are alive, 100 ms – 10 min, and less than half of <see cref="LeaseDuration"/>. 5 s by default.</summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a worker whose stream broke keeps its leases until it resumes, 0 s – 10 min. 2 s by default.</summary>
    public TimeSpan ResumeGrace { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The programs whose processes the server itself starts and supervises as workers, by name. None by default.</summary>
    public Dictionary<string, WorkerProcessOptions> Processes { get; } = new(StringComparer.Ordinal);
}

/// <summary>The bounds that keep one caller from harming the others.</summary>
public sealed class LimitOptions
{
    /// <summary>The largest payload in bytes, 0–2,097,152 together with <see cref="ResultBytesMax"/>. 1 MiB by default.</summary>
    public int PayloadBytesMax { get; set; } = 1_048_576;

    /// <summary>The largest result in bytes. 1 MiB by default.</summary>
    public int ResultBytesMax { get; set; } = 1_048_576;

    /// <summary>How many queues exist at most, 1–1,000,000. 1,000 by default.</summary>
    public int Queues { get; set; } = 1_000;

    /// <summary>How many namespaces exist at most, 1–100,000. 100 by default.</summary>
    public int Namespaces { get; set; } = 100;

    /// <summary>How many schedules exist at most, 0–1,000,000. 10,000 by default.</summary>
    public int Schedules { get; set; } = 10_000;

    /// <summary>How many submissions wait for room at most, 0–1,000,000; more are refused. 10,000 by default.</summary>
    public int Waiters { get; set; } = 10_000;

    /// <summary>How many watches are open at most, 1–1,000,000. 10,000 by default.</summary>
    public int Watchers { get; set; } = 10_000;

    /// <summary>How many snapshots of watches are read at a time, 1–1,000. 4 by default.</summary>
    public int Snapshots { get; set; } = 4;

    /// <summary>How many bytes all watchers together hold of what they are being told: a quarter of the memory that the process may use, within 16 and 256 MiB.</summary>
    internal long WatchBytesMax { get; set; } = Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4, 16 << 20, 256 << 20);

    /// <summary>How many changes are kept for watches that resume, 1–1,000,000,000. Null (the default): 10,000,000, in memory 1,000,000.</summary>
    public int? WatchHistory { get; set; }

    /// <summary>How many bytes of a task's log are kept, 4,096–67,108,864: the last ones, or up to 4 KiB fewer. 1 MiB by default.</summary>
    public int LogBytesMax { get; set; } = 1_048_576;

    /// <summary>
    /// From which part of the memory that the process may use (its container's, or the machine's; of the heap, the heap's limit) on new tasks are refused, 0.1–1; 1 for
    /// never. 0.85 by default.
    /// </summary>
    public double MemoryGuard { get; set; } = 0.85;

    /// <summary>How many connections are open at most, 1–1,000,000. 1,000 by default.</summary>
    public int Connections { get; set; } = 1_000;

    /// <summary>How long a watcher may block a write before its stream is ended, 1 s – 1 hour. 30 s by default.</summary>
    public TimeSpan WatchWriteTimeout { get; set; } = TimeSpan.FromSeconds(30);
}
