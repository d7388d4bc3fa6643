using GrpcPool.Chaos.Scenarios;
using GrpcPool.V1;

namespace GrpcPool.Chaos.Tests;

public sealed class PoisonTests
{
    private const int DefaultMaxLosses = 3;

    [Fact(Timeout = 120_000)]
    public async Task A_task_that_kills_its_server_is_started_once_more_than_it_may_be_lost_and_no_other_fails()
    {
        (Outcome outcome, TaskInfo poison, int starts) = await PoisonRun.RunAsync(501, TestContext.Current.CancellationToken);
        Assert.Empty(outcome.Violations);
        Assert.Equal((TaskState.Failed, FailureCode.LeaseLost), (poison.State, poison.Failure.Code));
        Assert.Equal((DefaultMaxLosses + 1, DefaultMaxLosses + 1, DefaultMaxLosses + 1), (starts, poison.Losses, outcome.Deaths));
    }
}
