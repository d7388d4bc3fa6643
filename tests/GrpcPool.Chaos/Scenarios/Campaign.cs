using System.Globalization;
using GrpcPool.Chaos.Histories;

namespace GrpcPool.Chaos.Scenarios;

/// <summary>Many runs of a scenario, one after another.</summary>
internal static class Campaign
{
    private static readonly TimeSpan RunTimeout = TimeSpan.FromMinutes(10);

    /// <returns>The exit code: 0 where every run was as promised.</returns>
    public static async Task<int> RunAsync(string scenario, int firstSeed, int runs, CancellationToken stop)
    {
        var outcomes = new List<Outcome>();
        for (int seed = firstSeed; seed < firstSeed + runs; seed++)
        {
            using var timeout = new CancellationTokenSource(RunTimeout, TimeProvider.System);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, timeout.Token);
            long start = TimeProvider.System.GetTimestamp();
            outcomes.Add(await RunAsync(scenario, seed, either.Token));
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{outcomes[^1]} ({TimeProvider.System.GetElapsedTime(start).TotalSeconds:f1} s)"));
        }

        await Console.Out.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{scenario}: {runs} runs, {outcomes.Sum(static o => o.Deaths)} deaths, {outcomes.Sum(static o => o.Accepted):n0} accepted, {outcomes.Sum(static o => o.Lost):n0} lost, {outcomes.Sum(static o => o.Losses):n0} attempts lost, {outcomes.Sum(static o => o.Violations.Count)} violations"));
        return outcomes.All(static outcome => outcome.Violations.Count == 0) ? 0 : 1;
    }

    private static async Task<Outcome> RunAsync(string scenario, int seed, CancellationToken stop) => scenario switch
    {
        "kill" => await CrashRun.RunAsync(new CrashPlan(seed), stop),
        "lost-writes" => await CrashRun.RunAsync(new CrashPlan(seed) { LosesWrites = true }, stop),
        "failed-sync" => await CrashRun.RunAsync(new CrashPlan(seed) { LosesWrites = true, FailsSync = true }, stop),
        "backlog" => await CrashRun.RunAsync(new CrashPlan(seed) { Kills = 1, KillsStart = false, Tasks = 100_000, Load = new LoadPlan(seed) { Batch = 500, Rarity = 1000, PayloadBytesMax = 100 } }, stop),
        "schedules" => await ScheduleRun.RunAsync(seed, ScheduleRun.KillsUsual, stop),
        "unsynced" => await UnsyncedRun.RunAsync(seed, "Off", stop),
        _ => (await PoisonRun.RunAsync(seed, stop)).Outcome,
    };
}
