using GrpcPool.Chaos.Scenarios;

namespace GrpcPool.Chaos.Tests;

/// <summary>Schedules while the server is killed and started again.</summary>
public sealed class ScheduleCrashTests
{
    [Fact(Timeout = 120_000)]
    public async Task After_a_kill_each_due_time_has_one_task_and_the_counters_are_those_of_the_tasks()
    {
        Outcome outcome = await ScheduleRun.RunAsync(601, kills: 2, TestContext.Current.CancellationToken);
        Assert.Empty(outcome.Violations);
        Assert.Equal((3, 0), (outcome.Deaths, outcome.Lost));
        Assert.True(outcome.Losses > 0, "no attempt was interrupted, so nothing was tested");
    }
}
