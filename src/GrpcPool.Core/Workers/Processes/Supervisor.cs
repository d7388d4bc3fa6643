using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Workers.Processes;

/// <summary>Where the server is, for processes on this machine.</summary>
internal interface IServerAddress
{
    /// <summary><c>http://host:port</c> or <c>unix:/path</c>; null where nothing listens.</summary>
    string? Find();
}

/// <summary>Has the processes of the settings at work, from when the server listens until it has drained.</summary>
internal sealed class Supervisor(GrpcPoolOptions options, TaskPool pool, ILogger<Supervisor> log, IServerAddress? address = null, IWorkerPasses? passes = null) : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stop = new();
    private Crew[] _crews = [];
    private Task _looking = Task.CompletedTask;
    private Task _cleaning = Task.CompletedTask;

    /// <summary>Starts the processes; the server listens.</summary>
    /// <exception cref="InvalidOperationException">It listens nowhere.</exception>
    public void Start()
    {
        if (options.Workers.Processes.Count == 0)
            return;
        if (!OperatingSystem.IsLinux())
            throw new PlatformNotSupportedException("Workers:Processes run on Linux only.");
        string server = address?.Find() ?? throw new InvalidOperationException("Workers:Processes need a server that listens: they find it by its address.");
        StartProcess start = WorkerProcess.StartFor(server, passes, pool.Time, log);
        var workforce = new Workforce(pool);
        _crews = [.. options.Workers.Processes.Select(program => new Crew(program, start, workforce, pool.Time, log))];
        _cleaning = Task.Run(() => new FormerProcesses(pool.Time, log).EndAsync(_stop.Token));
        _looking = LookAsync();
    }

    /// <summary>From now on no process is started, and none retires.</summary>
    public Task StopAsync()
    {
        _stop.Cancel();
        return _looking;
    }

    /// <summary>Ends all processes. The pool has drained: what they held is finished or released.</summary>
    public async Task EndAsync()
    {
        await StopAsync().ConfigureAwait(false);
        Crew[] crews = Interlocked.Exchange(ref _crews, []);
        await Task.WhenAll(crews.Select(static crew => crew.EndAsync())).ConfigureAwait(false);
        await _cleaning.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task LookAsync()
    {
        Crew[] crews = _crews;
        using var timer = new PeriodicTimer(Interval, pool.Time);
        try
        {
            do
                Array.ForEach(crews, Look);
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
        }
    }

    private void Look(Crew crew)
    {
        try
        {
            crew.Look();
        }
#pragma warning disable CA1031 // Whatever it is, the others are looked after.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            Log.BackgroundFault(log, fault);
        }
    }
}
