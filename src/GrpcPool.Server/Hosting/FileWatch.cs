using GrpcPool.Core.Execution;
using Microsoft.Extensions.Hosting;

namespace GrpcPool.Server.Hosting;

/// <summary>Something that comes from files, which may change while the server runs.</summary>
internal interface IReloaded
{
    /// <summary>Whether there are such files at all.</summary>
    bool HasFiles { get; }

    /// <summary>Takes what the files say now, and what they said before where they cannot be used. Never throws.</summary>
    void Reload();
}

/// <summary>Looks at files again and again. Volumes that are exchanged as a whole, as those of secrets in a cluster are, raise no event of the file system.</summary>
internal sealed class FileWatch(IEnumerable<IReloaded> reloaded, TaskPool pool) : BackgroundService
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        IReloaded[] all = [.. reloaded.Where(static files => files.HasFiles)];
        if (all.Length == 0)
            return;
        using var ticks = new PeriodicTimer(Interval, pool.Time);
        try
        {
            while (await ticks.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                foreach (IReloaded files in all)
                    files.Reload();
            }
        }
        catch (OperationCanceledException)
        {
            // The server ends.
        }
    }
}
