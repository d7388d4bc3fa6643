using GrpcPool.Chaos.Scenarios;

namespace GrpcPool.Chaos.Tests;

/// <summary>A short set of what the console program does many times over.</summary>
public sealed class CrashTests
{
    private const int TimeoutMs = 120_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = TimeoutMs)]
    [InlineData(101, 2)]
    [InlineData(102, 1)]
    public async Task After_a_kill_each_accepted_task_ends_once_and_every_start_is_explained(int seed, int kills) =>
        AssertAsPromised(await CrashRun.RunAsync(new CrashPlan(seed) { Kills = kills }, Stop));

    internal static void AssertAsPromised(Outcome outcome)
    {
        Assert.Empty(outcome.Violations);
        Assert.Equal(0, outcome.Lost);
        Assert.True(outcome.Losses > 0, "no attempt was interrupted, so nothing was tested");
    }
}
