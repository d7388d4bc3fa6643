using GrpcPool.Chaos.Faults;
using GrpcPool.Chaos.Histories;

namespace GrpcPool.Chaos.Scenarios;

/// <summary>
/// The power goes while commits are not synced, which promises nothing. A test of lost writes that finds none here would find none anywhere.
/// </summary>
internal static class UnsyncedRun
{
    public static async Task<Outcome> RunAsync(int seed, string synchronous, CancellationToken stop)
    {
        await using var site = new Site(disk: folder => new LossyDisk(folder, earlyPercentage: 0, seed));

        // The database itself is on the disk.
        await site.StartAsync(stop);
        await site.KillAsync();

        site.Set($"Storage:Synchronous={synchronous}");
        await site.StartAsync(stop);
        var history = new History();
        Task reached = history.WhenAcceptedAsync(new Random(seed).Next(100, 1000));
        using var loading = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task load = new Load(history, new LoadPlan(seed)).RunAsync(site.Address, loading.Token);
        await reached.WaitAsync(stop);
        await site.KillAsync();
        await loading.CancelAsync();
        await load;

        await site.StartAsync(stop);
        return Outcome.Of(seed, site, history, await site.ListAsync(stop), []);
    }
}
