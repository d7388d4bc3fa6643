using Grpc.Core;
using GrpcPool.Chaos.Faults;
using GrpcPool.Chaos.Histories;
using GrpcPool.V1;

namespace GrpcPool.Chaos.Scenarios;

/// <summary>Submissions over several connections to a server that is killed amid them, at moments chosen by the seed, and started again on its database.</summary>
internal sealed class CrashRun
{
    private const int Probes = 3;

    private static readonly TimeSpan DelayMax = TimeSpan.FromMilliseconds(20), StartMin = TimeSpan.FromMilliseconds(200), StartMax = TimeSpan.FromMilliseconds(800);

    private readonly CrashPlan _plan;
    private readonly Random _random;
    private readonly Site _site;
    private readonly History _history = new();
    private readonly Observer _observer = new();
    private readonly Load _load;
    private readonly List<string> _violations = [];

    private CrashRun(CrashPlan plan, Site site)
    {
        (_plan, _site, _random) = (plan, site, new Random(plan.Seed));
        _load = new Load(_history, plan.Load);
    }

    public static async Task<Outcome> RunAsync(CrashPlan plan, CancellationToken stop)
    {
        string[] settings = [$"Pool:Slots={1 << new Random(plan.Seed).Next(2, 9)}"];
        await using var site = new Site(settings, plan.LosesWrites ? folder => new LossyDisk(folder, plan.EarlyPercentage, plan.Seed) : null);
        var run = new CrashRun(plan, site);
        return await Outcome.OfAsync(site, () => run.RunAsync(stop), fault => Outcome.Of(plan.Seed, site, run._history, [], [.. run._violations, fault]));
    }

    private async Task<Outcome> RunAsync(CancellationToken stop)
    {
        await _site.StartAsync(stop);
        Task watch = await _observer.FollowAsync(_site.Client, stop);
        int[] moments = [.. Enumerable.Range(0, _plan.Kills).Select(_ => _random.Next(1, _plan.Tasks)).Order()];
        foreach (int moment in moments)
        {
            await LoadUntilAsync(moment, CrashAsync, stop);
            await watch;
            if (_plan.KillsStart && moment == moments[^1])
                await _site.KillWhileStartingAsync(StartMin + ((StartMax - StartMin) * _random.NextDouble()), stop);
            await _site.StartAsync(stop);
            watch = await _observer.FollowAsync(_site.Client, stop);
        }

        await LoadUntilAsync(_plan.Tasks, static () => Task.CompletedTask, stop);

        // Half of those who do not know ask again, the others never learn.
        await _load.RepeatAsync(_site.Client, _history.Unknown.Where(_ => _random.Next(2) == 0), stop);
        return await JudgeAsync(stop);
    }

    /// <summary>Submits until so many tasks are accepted, and a little longer; then something happens while it goes on.</summary>
    private async Task LoadUntilAsync(int accepted, Func<Task> happens, CancellationToken stop)
    {
        Task reached = _history.WhenAcceptedAsync(accepted);
        using var loading = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task load = _load.RunAsync(_site.Address, loading.Token);
        await reached.WaitAsync(stop);
        await Task.Delay(DelayMax * _random.NextDouble(), TimeProvider.System, stop);
        await happens();
        await loading.CancelAsync();
        await load;
    }

    private async Task CrashAsync()
    {
        if (_plan.FailsSync)
            await FailSyncAsync();
        await _site.KillAsync();
    }

    /// <summary>Whatever is submitted after fsync has begun to fail must not be answered OK. Afterwards the server dies, or goes on for a while.</summary>
    private async Task FailSyncAsync()
    {
        _site.Disk.Break();
        for (int i = 0; i < Probes; i++)
        {
            var probe = new TaskSpec { Id = $"probe{_site.Deaths}-{i}", Kind = "echo" };
            _history.Attempt(probe);
            try
            {
                await _site.Client.SubmitAsync(new SubmitRequest { Task = probe });
                _violations.Add($"{probe.Id} was accepted although nothing could be synced");
            }
            catch (RpcException)
            {
                // As it should be.
            }
        }

        if (_random.Next(2) == 0)
            return;
        _site.Disk.Mend();
        await _history.WhenAcceptedAsync(_history.Count + _random.Next(1, 200));
    }

    private async Task<Outcome> JudgeAsync(CancellationToken stop)
    {
        await _observer.SeeAllEndAsync(_history.Accepted, stop);
        IReadOnlyList<TaskInfo> tasks = await _site.ListAsync(stop);
        _violations.AddRange(new Checker(_history, _observer, _site.Record, _site.Deaths).Judge(tasks));
        return Outcome.Of(_plan.Seed, _site, _history, tasks, _violations);
    }
}
