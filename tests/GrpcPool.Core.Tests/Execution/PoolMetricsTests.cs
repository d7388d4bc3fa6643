using System.Diagnostics.Metrics;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

public sealed class PoolMetricsTests
{
    [Fact(Timeout = TimeoutMs)]
    public async Task Where_nobody_measures_nothing_is_noted()
    {
        await using TestPool pool = await StartAsync();
        (await pool.RunAsync("t")).Succeed();
        await pool.WhenAsync("t", TaskState.Succeeded);
        await pool.SettleAsync();
        Assert.Empty(pool.Pool.Metrics.Queues.All);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_loss_is_counted_and_what_the_lost_attempt_says_later_as_fenced()
    {
        await using TestPool pool = await StartAsync();
        using MeterListener listener = Listen(pool);
        TestRun lost = await pool.RunAsync("t", Stubborn);
        TaskRecord running = await pool.FindAsync("t");
        await pool.CommitAsync(new EndAttempt(running.Id, running.Claim, new AttemptEnding.Lost()));
        lost.Succeed();
        await lost.Returned;
        while (pool.Pool.Metrics.Fences == 0) // What it says is on its way to a commit.
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await pool.SettleAsync();
        }

        QueueSeries queue = Assert.Single(pool.Pool.Metrics.Queues.All);
        Assert.Equal((1, 1, 1), (queue.Submissions, queue.Losses, queue.Retries));
        Assert.Equal(1, pool.Pool.Metrics.Fences);
    }

    [Fact]
    public void Series_beyond_the_most_are_one()
    {
        var series = new SeriesMap<int, string>(static key => $"{key}", "other");
        string[] found = [.. Enumerable.Range(0, 150).Select(key => series[key])];
        Assert.Equal(101, found.Distinct().Count());
        Assert.Equal("other", series[149]);
        Assert.Equal("7", series[7]);
        Assert.Equal(101, series.All.Count());
    }

    private static MeterListener Listen(TestPool pool)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == pool.Pool.Metrics.Meter)
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.Start();
        return listener;
    }
}
