using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests.Sqlite;

/// <summary>Tasks that run after others, over the end of the process.</summary>
public sealed class DependencyRestartTests
{
    private const int TimeoutMs = 30_000;

    [Fact(Timeout = TimeoutMs)]
    public async Task A_diamond_across_two_queues_runs_in_order_through_two_crashes()
    {
        await using RestartedPool pool = await RestartedPool.StartAsync();
        await pool.SubmitAsync(Diamond());
        await pool.WhenBegunAsync(1);
        await pool.CrashAsync();
        Assert.All(await AllAsync(pool, "left", "right", "bottom"), task => Assert.Equal(TaskState.Scheduled, task.State));

        pool.Pass("top");
        await pool.WhenBegunAsync(4, TimeSpan.FromMilliseconds(100));
        Assert.Equal(["top", "top"], pool.Begun.Take(2));
        await pool.CrashAsync();
        TaskRecord bottom = await pool.FindAsync("bottom");
        Assert.Equal((TaskState.Scheduled, 2, WaitingReason.After), (bottom.State, bottom.Awaits, pool.Pool.View(bottom).WaitingReason));

        Assert.Equal(TaskState.Succeeded, (await pool.EndAsync("bottom")).State);
        Assert.Equal(7, pool.Begun.Count);
        Assert.Equal(["left", "left", "right", "right"], pool.Begun.Skip(2).Take(4).Order());
        Assert.Equal("bottom", pool.Begun.Last());
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_fails_by_a_crash_cancels_what_was_to_run_after_it()
    {
        await using RestartedPool pool = await RestartedPool.StartAsync();
        NewTask[] diamond = Diamond();
        diamond[0] = diamond[0] with { Spec = diamond[0].Spec with { Retry = new RetryPolicy { MaxLosses = 0 } } };
        await pool.SubmitAsync(diamond);
        await pool.WhenBegunAsync(1);
        await pool.CrashAsync();
        Assert.Equal([TaskState.Failed, TaskState.Cancelled, TaskState.Cancelled, TaskState.Cancelled], (await AllAsync(pool, "top", "left", "right", "bottom")).Select(task => task.State));
        Assert.Equal(["top"], pool.Begun);
    }

    private static NewTask[] Diamond() =>
    [
        Given.Task("top"),
        Given.Task("left", Given.Spec with { After = ["top"] }),
        Given.Task("right", Given.Spec with { After = ["top"], Queue = "other" }),
        Given.Task("bottom", Given.Spec with { After = ["left", "right"], Queue = "other" }),
    ];

    private static async Task<List<TaskRecord>> AllAsync(RestartedPool pool, params string[] ids)
    {
        var tasks = new List<TaskRecord>();
        foreach (string id in ids)
            tasks.Add(await pool.FindAsync(id));
        return tasks;
    }
}
