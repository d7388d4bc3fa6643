using GrpcPool.Chaos.Scenarios;

namespace GrpcPool.Chaos.Tests;

public sealed class MemoryTests
{
    [Fact(Timeout = 120_000)]
    public async Task A_backlog_larger_than_the_heap_is_taken_in_and_outlives_the_server()
    {
        (int submitted, long counted) = await HeapRun.RunAsync(100_000, TestContext.Current.CancellationToken);
        Assert.Equal(submitted, counted);
    }
}
