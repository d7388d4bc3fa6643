using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Execution;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Administration;

public sealed class ResizeTests
{
    [Fact(Timeout = TimeoutMs)]
    public async Task Shrinking_from_64_to_4_under_load_ends_with_4_and_stops_nothing()
    {
        await using TestPool pool = await StartAsync(static options => options.Pool.Slots = 64);
        string[] ids = [.. Enumerable.Range(0, 200).Select(static i => $"t{i}")];
        await pool.SubmitAsync([.. ids.Select(static id => New(id))]);
        var runs = new List<TestRun>();
        foreach (string id in ids.Take(64))
            runs.Add(await pool.Handler.StartedAsync(id));
        Assert.Equal(64, await pool.Admin.ResizeAsync(4, "me"));
        int atResize = pool.Store.Changes.Count;
        foreach (TestRun run in runs.Take(60))
            await EndAsync(pool, run);
        await pool.SettleAsync();
        Assert.Equal((4, 64), (pool.Handler.Running, pool.Store.Starts.Count));
        Assert.All(runs.Skip(60), static run => Assert.False(run.Stopped.IsCompleted));

        runs[60].Succeed();
        await pool.Handler.StartedAsync("t64");
        Task allEnded = pool.WhenAllAsync(ids, TaskState.Succeeded);
        pool.Handler.LetGo();
        await allEnded;
        Assert.Equal(4, RunningMaxAtStartsAfter(pool, atResize));
        Assert.Equal(ids.Length, pool.Store.Starts.Count);
        Assert.Equal(4, pool.Pool.Settings.Slots);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_larger_pool_starts_what_waits()
    {
        await using TestPool pool = await StartAsync(static options => options.Pool.Slots = 1);
        await pool.SubmitAsync([New("a"), New("b"), New("c")]);
        await pool.Handler.StartedAsync("a");
        await pool.Admin.ResizeAsync(3, "me");
        await pool.Handler.StartedAsync("b");
        await pool.Handler.StartedAsync("c");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_task_larger_than_the_pool_has_become_waits_in_nobodys_way_until_there_is_room_again()
    {
        await using TestPool pool = await StartAsync(static options => options.Pool.Slots = 8);
        TestRun first = await pool.RunAsync("first", Spec with { Slots = 8 });
        await pool.SubmitAsync([New("large", Spec with { Slots = 8 }), New("small")]);
        await pool.Admin.ResizeAsync(4, "me");
        first.Succeed();
        TestRun small = await pool.Handler.StartedAsync("small");
        Assert.Equal(WaitingReason.PoolFull, await pool.ReasonOfAsync("large"));
        Assert.Equal(4, pool.Pool.SlotsMax);

        await pool.Admin.ResizeAsync(8, "me");
        small.Succeed();
        await pool.Handler.StartedAsync("large");
    }

    private static async Task EndAsync(TestPool pool, TestRun run)
    {
        Task ended = pool.Store.WhenAsync(change => change.Task.Id.Value == run.Context.TaskId && change.Task.State == TaskState.Succeeded);
        run.Succeed();
        await ended;
    }

    private static int RunningMaxAtStartsAfter(TestPool pool, int change)
    {
        int running = 0, max = 0, seen = 0;
        foreach (TaskChange told in pool.Store.Changes)
        {
            bool starts = told.Task.State == TaskState.Running && told.Before != TaskState.Running;
            running += (starts ? 1 : 0) - (told.Before == TaskState.Running && told.Task.State != TaskState.Running ? 1 : 0);
            if (++seen > change && starts)
                max = Math.Max(max, running);
        }

        return max;
    }
}
