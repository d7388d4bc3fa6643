namespace GrpcPool.Core.Hosting;

/// <summary>One program that works for the pool: the server starts its processes, starts them anew, and ends them.</summary>
public sealed class WorkerProcessOptions
{
    /// <summary>The program, an absolute path. It works by <c>WorkerService</c> as long as it runs, in the foreground.</summary>
    public string Command { get; set; } = "";

    /// <summary>Its arguments, handed over as they are: there is no shell.</summary>
    public List<string> Arguments { get; } = [];

    /// <summary>Its whole environment, beside <c>PATH</c> (a plain default unless set here) and the <c>GRPCPOOL_…</c> variables.</summary>
    public Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    /// <summary>Its working directory, an absolute path; null (the default) for the root directory.</summary>
    public string? WorkingDirectory { get; set; }

    /// <summary>How many processes there are at least, 0–1,000. 1 by default. With 0, one starts with the server, so that its kinds become known.</summary>
    public int Minimum { get; set; } = 1;

    /// <summary>How many processes there are at most, 1–1,000; null (the default) for as many as at least, but one.</summary>
    public int? Maximum { get; set; }

    /// <summary>After how many tasks a process retires, 1–1,000,000,000; null (the default) for never.</summary>
    public int? MaxTasks { get; set; }

    /// <summary>How long a process above <see cref="Minimum"/> may have nothing to do before it retires, 0 s – 1 day. 1 minute by default.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a process may be without a connection before it counts as failed and is ended, 1 s – 1 day. 1 minute by default.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The pause before a process that ended by itself is started again, 10 ms – 1 hour; doubled each time. 1 s by default.</summary>
    public TimeSpan InitialBackoff { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest such pause, 10 ms – 1 day. A process that has lived so long starts again at once. 1 minute by default.</summary>
    public TimeSpan MaxBackoff { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a process that retires may finish what it runs before it gets SIGTERM, 0 s – 1 day. 5 minutes by default.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long after SIGTERM it is killed, and after it has left the pool gets SIGTERM where it does not exit, 0 s – 1 hour. 10 s by default; at the server's end at most 1 s.
    /// </summary>
    public TimeSpan KillAfter { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The most processes there are.</summary>
    internal int Seats => Maximum ?? Math.Max(1, Minimum);
}
