namespace GrpcPool.Client.Workers;

/// <summary>What a worker is. Checked at the host's start; all violations are named.</summary>
public sealed class GrpcPoolWorkerOptions
{
    /// <summary>
    /// What people call it: 1 to 128 characters of <c>[A-Za-z0-9._:-]</c>, shown as the <c>worker</c> of the attempts that it runs. Need not be unique.
    /// By default what a pool that supervises this process calls it (<c>GRPCPOOL_WORKER_NAME</c>), else the machine's name and the process id.
    /// </summary>
    public string Name { get; set; } = Supervised ?? $"{WorkerOptionsCheck.AsName(Environment.MachineName)}:{Environment.ProcessId}";

    /// <summary>How many slots it has, and so how many tasks of one slot it runs at a time: 1 to 10,000. By default 4 for each processor, and at least 16.</summary>
    public int Slots { get; set; } = Math.Clamp(4 * Environment.ProcessorCount, 16, 10_000);

    /// <summary>What describes it, for people: at most 32; names of 1 to 64 characters of <c>[a-z0-9_]</c>, values of at most 256 bytes. None by default.</summary>
    public IDictionary<string, string> Labels { get; } = new Dictionary<string, string>();

    /// <summary>
    /// How long what runs may go on when the host stops: 0 to 1 hour. 25 s by default. What still runs then is told to stop, and is lost 2 s later: it runs elsewhere.
    /// The host's <c>ShutdownTimeout</c> (30 s unless it says otherwise) must be at least 4 s longer; where it is shorter, it is what counts.
    /// </summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>
    /// Whether the host stops when the pool has drained this worker. By default only in a process that the pool supervises, which starts it anew
    /// (<c>GRPCPOOL_WORKER_NAME</c> is set). Else the worker comes back, after a pause, since a pool that restarts drains its workers too.
    /// </summary>
    public bool StopHostWhenDrained { get; set; } = Supervised is not null;

    private static string? Supervised => Environment.GetEnvironmentVariable("GRPCPOOL_WORKER_NAME");

    /// <summary>Who runs which kind.</summary>
    internal List<WorkHandlerRegistration> Handlers { get; } = [];
}
