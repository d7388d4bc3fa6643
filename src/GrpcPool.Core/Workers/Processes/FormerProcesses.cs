using GrpcPool.Core.Handlers.Processes;
using GrpcPool.Core.Hosting;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Workers.Processes;

/// <summary>What servers on this machine that were killed have left behind of their worker processes: it is ended, by SIGTERM and then by force.</summary>
/// <param name="time">The clock.</param>
/// <param name="log">The log.</param>
internal sealed class FormerProcesses(TimeProvider time, ILogger log)
{
    /// <summary>How long they may finish what they hold: their leases stand over the restart.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(200);

    /// <param name="ending">Fires when there is no more time for grace.</param>
    public async Task EndAsync(CancellationToken ending)
    {
        int left = Signal(LibC.SigTerm);
        if (left == 0)
            return;
        Log.FormerProcesses(log, left);
        long since = time.GetTimestamp();
        while (ServerMark.FindBereft().Count > 0 && time.GetElapsedTime(since) < Grace && !ending.IsCancellationRequested)
            await Task.Delay(LookAgain, time, ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Signal(LibC.SigKill);
    }

    private static int Signal(int signal)
    {
        IReadOnlyList<ProcessEntry> bereft = ServerMark.FindBereft();
        foreach (ProcessEntry process in bereft)
            _ = LibC.Kill(process.Pid, signal);
        return bereft.Count;
    }
}
