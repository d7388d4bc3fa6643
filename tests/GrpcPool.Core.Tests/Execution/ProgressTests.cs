using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Watching;
using GrpcPool.Core.Watching;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

public sealed class ProgressTests
{
    [Fact(Timeout = TimeoutMs)]
    public async Task At_most_ten_a_second_go_out_and_the_newest_always_does()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t");
        await using WatchReader reader = WatchReader.Start(pool, new WatchQuery { Filter = new TaskFilter("default") });
        await reader.SyncedAsync();
        for (int i = 1; i <= 100; i++)
        {
            run.Context.ReportProgress(i / 100.0, $"{i}");
            pool.Time.Advance(TimeSpan.FromMilliseconds(10));
        }

        pool.Time.Advance(TimeSpan.FromMilliseconds(100));
        await reader.UntilAsync(told => told is { Type: WatchEventType.Progress, Change.Task.Progress.Fraction: 1 });
        Assert.InRange(reader.Told.Count(told => told.Type == WatchEventType.Progress), 1, 11);
        Assert.All(reader.Told.Where(told => told.Type == WatchEventType.Progress), told => Assert.Equal(1, told.Change!.Task.Version));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_newest_progress_is_seen_while_it_runs_and_stored_with_the_ending()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t");
        run.Context.ReportProgress(0.25, "a quarter");
        run.Context.ReportProgress(0.5, "half");
        Assert.Equal((0.5, "half"), ((await pool.FindAsync("t")).Progress!.Fraction, (await pool.FindAsync("t")).Progress!.Message));
        run.Succeed();

        Assert.Equal(0.5, (await pool.WhenAsync("t", TaskState.Succeeded)).Progress!.Fraction);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Values_out_of_range_and_long_messages_are_cut()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t");
        foreach ((double reported, double kept) in ((double, double)[])[(-1, 0), (2, 1), (double.NaN, 0)])
        {
            run.Context.ReportProgress(reported, new string('x', 1000));
            TaskProgress progress = (await pool.FindAsync("t")).Progress!;
            Assert.Equal((kept, 256), (progress.Fraction, progress.Message.Length));
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task After_the_end_nothing_is_reported()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t");
        run.Succeed();
        await pool.WhenAsync("t", TaskState.Succeeded);
        run.Context.ReportProgress(0.9);

        Assert.Null((await pool.FindAsync("t")).Progress);
    }
}
