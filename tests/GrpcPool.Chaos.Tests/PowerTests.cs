using GrpcPool.Chaos.Faults;
using GrpcPool.Chaos.Scenarios;
using GrpcPool.Server.Tests.Polyglot;

namespace GrpcPool.Chaos.Tests;

/// <summary>The same with a disk that loses what was not synced, or fails to sync.</summary>
public sealed class PowerTests
{
    private const int TimeoutMs = 120_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = TimeoutMs)]
    [InlineData(201)]
    [InlineData(202)]
    public async Task After_a_loss_of_power_each_accepted_task_is_there(int seed)
    {
        RequireCompiler();
        Outcome outcome = await CrashRun.RunAsync(new CrashPlan(seed) { LosesWrites = true, Kills = 1 }, Stop);
        CrashTests.AssertAsPromised(outcome);
        Assert.True(outcome.CheckpointedBytes > 1 << 20, "nothing was checkpointed, so that was not tested");
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(301, "Off")]
    [InlineData(302, "Normal")]
    public async Task Without_a_sync_per_commit_a_loss_of_power_takes_accepted_tasks(int seed, string synchronous)
    {
        RequireCompiler();
        Outcome outcome = await UnsyncedRun.RunAsync(seed, synchronous, Stop);
        Assert.InRange(outcome.Lost, 1, outcome.Accepted);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task While_fsync_fails_nothing_is_accepted_and_what_was_is_not_lost()
    {
        RequireCompiler();
        CrashTests.AssertAsPromised(await CrashRun.RunAsync(new CrashPlan(401) { LosesWrites = true, FailsSync = true }, Stop));
    }

    private static void RequireCompiler() => Tools.Require(LossyDisk.IsAvailable, "a C compiler on Linux");
}
