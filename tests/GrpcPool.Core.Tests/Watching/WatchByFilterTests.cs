using GrpcPool.Core.Handlers;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Execution;
using GrpcPool.Core.Watching;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Watching;

public sealed class WatchByFilterTests
{
    private static readonly WatchQuery Everything = new() { Filter = new TaskFilter("default") };

    [Fact(Timeout = TimeoutMs)]
    public async Task A_snapshot_comes_first_then_synced_then_changes()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync("old", runAt: pool.Now.AddDays(1));
        await using WatchReader reader = WatchReader.Start(pool, Everything);
        await reader.SyncedAsync();
        Assert.Equal([WatchEventType.Snapshot, WatchEventType.Synced], reader.Told.Select(told => told.Type));
        (await pool.RunAsync("new")).Succeed();
        await reader.UntilFinalAsync("new");

        Assert.All(reader.Told.Skip(2), told => Assert.Equal((WatchEventType.Changed, "new"), (told.Type, told.Change!.Task.Id.Value)));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_task_that_comes_during_the_snapshot_is_told_as_a_change()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync([.. Enumerable.Range(0, 600).Select(i => New($"t{i}", Spec with { Kind = NobodysKind }))]);
        using Watch watch = pool.Pool.Watch(Everything);
        await using IAsyncEnumerator<WatchBatch> batches = watch.ReadAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await batches.MoveNextAsync());
        await pool.SubmitAsync("late", Spec with { Kind = NobodysKind });
        var told = new List<WatchEvent>();
        while (told.LastOrDefault().Change?.Task.Id.Value != "late" && await batches.MoveNextAsync())
            told.AddRange(batches.Current.Events);

        Assert.Equal(WatchEventType.Changed, told[^1].Type);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task States_restrict_only_the_snapshot_and_the_rest_of_the_filter_everything()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync("scheduled", runAt: pool.Now.AddDays(1));
        await pool.SubmitAsync("queued", Spec with { Kind = NobodysKind });
        await using WatchReader reader = WatchReader.Start(pool, new WatchQuery { Filter = new TaskFilter("default") { States = [TaskState.Queued], Queues = ["default"] } });
        await reader.SyncedAsync();
        await pool.SubmitAsync("elsewhere", Spec with { Queue = "other" });
        await pool.SubmitAsync(New("elsewhere", @namespace: "other"));
        await pool.CancelAsync("scheduled");
        await reader.UntilFinalAsync("scheduled");

        Assert.Equal(["queued", null, "scheduled"], reader.Told.Select(told => told.Change?.Task.Id.Value).Distinct());
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Without_a_snapshot_only_what_changes_from_now_on_is_told()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync("old", runAt: pool.Now.AddDays(1));
        await using WatchReader reader = WatchReader.Start(pool, Everything with { SkipSnapshot = true });
        await reader.SyncedAsync();
        Assert.Single(reader.Told);
        await pool.CancelAsync("old");

        await reader.UntilFinalAsync("old");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_delete_is_told_and_the_end_of_a_retention_is_not()
    {
        await using TestPool pool = await StartAsync();
        pool.Handler.SucceedAtOnce();
        await using WatchReader reader = WatchReader.Start(pool, Everything);
        await reader.SyncedAsync();
        await pool.SubmitAsync("pruned", Spec with { Retention = TimeSpan.FromSeconds(5) });
        await pool.SubmitAsync("deleted");
        await pool.WhenAllAsync(["pruned", "deleted"], TaskState.Succeeded);
        await pool.SettleAsync();
        pool.Time.Advance(TimeSpan.FromSeconds(5));
        await pool.Store.WhenAsync(change => change.Type == ChangeType.Pruned);
        await pool.Pool.DeleteAsync(Id("deleted"));
        await reader.UntilAsync(told => told.Type == WatchEventType.Deleted);

        Assert.Equal("deleted", Assert.Single(reader.Told, told => told.Type == WatchEventType.Deleted).Change!.Task.Id.Value);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Under_load_nothing_is_lost_between_snapshot_and_changes_and_no_version_goes_back()
    {
        await using TestPool pool = await StartAsync();
        pool.Handler.Behave(YieldAsync);
        string[] ids = [.. Enumerable.Range(0, 5000).Select(i => $"t{i}")];
        Task submitting = Task.Run(async () =>
        {
            foreach (string[] part in ids.Chunk(50))
                await pool.SubmitAsync([.. part.Select(id => New(id))]);
        }, TestContext.Current.CancellationToken);
        var readers = new List<WatchReader>();
        foreach (int at in (int[])[10, 1000, 2500, 4000])
        {
            await pool.WhenAsync(ids[at], TaskState.Running);
            readers.Add(WatchReader.Start(pool, Everything));
        }

        await submitting;
        await pool.WhenAllAsync(ids, TaskState.Succeeded);
        foreach (WatchReader reader in readers)
        {
            await reader.UntilAllFinalAsync(ids);
            AssertNoneGoesBack(reader.Told);
            await reader.DisposeAsync();
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_slow_reader_gets_the_newest_state_and_skips_those_between()
    {
        await using TestPool pool = await StartAsync();
        await using WatchReader reader = WatchReader.Start(pool, Everything, slow: true);
        reader.Read(1);
        await reader.SyncedAsync();
        await pool.SubmitAsync("first", Spec with { Kind = NobodysKind });
        string[] ids = [.. Enumerable.Range(0, 500).Select(i => $"t{i}")];
        pool.Handler.SucceedAtOnce();
        await pool.SubmitAsync([.. ids.Select(id => New(id, Spec with { Retry = new RetryPolicy { MaxAttempts = 2 } }))]);
        await pool.WhenAllAsync(ids, TaskState.Succeeded);
        await pool.SettleAsync();
        reader.Read(1000);
        await reader.UntilAllFinalAsync(ids);

        AssertNoneGoesBack(reader.Told);
        Assert.InRange(reader.Told.Count, 500, 1100);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_reader_whose_buffer_overflowed_catches_up_from_the_history()
    {
        await using TestPool pool = await StartAsync();
        await using WatchReader reader = WatchReader.Start(pool, Everything, slow: true);
        reader.Read(1);
        await reader.SyncedAsync();
        await pool.SubmitAsync("first", Spec with { Kind = NobodysKind });
        pool.Handler.SucceedAtOnce();
        string[] ids = [.. Enumerable.Range(0, 4000).Select(i => $"t{i}")];
        await pool.SubmitAsync([.. ids.Select(id => New(id))]);
        await pool.WhenAllAsync(ids, TaskState.Succeeded);
        reader.Read(10_000);
        await reader.UntilAllFinalAsync(ids);

        AssertNoneGoesBack(reader.Told);
        Assert.InRange(reader.Told.Count, 4000, 9000);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_reader_too_far_behind_for_the_history_is_told_so()
    {
        await using TestPool pool = await StartAsync(options => options.Limits.WatchHistory = 100);
        await using WatchReader reader = WatchReader.Start(pool, Everything, slow: true);
        reader.Read(1);
        await reader.SyncedAsync();
        await pool.SubmitAsync("first", Spec with { Kind = NobodysKind });
        await pool.SubmitAsync([.. Enumerable.Range(0, 3000).Select(i => New($"t{i}", Spec with { Kind = NobodysKind }))]);
        await pool.SettleAsync();
        reader.Read(10_000);

        Assert.Equal(WatchFault.OutOfRange, (await Assert.ThrowsAsync<WatchException>(() => reader.Ended)).Fault);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task When_nothing_happens_a_heartbeat_comes_each_time()
    {
        await using TestPool pool = await StartAsync();
        await using WatchReader reader = WatchReader.Start(pool, Everything with { Heartbeat = TimeSpan.FromSeconds(5) });
        await reader.SyncedAsync();
        await pool.AdvanceUntilAsync(reader.HeartbeatAsync(), TimeSpan.FromSeconds(1));

        Assert.Equal(pool.Pool.Revision, reader.Revision);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Only_so_many_may_watch()
    {
        await using TestPool pool = await StartAsync(options => options.Limits.Watchers = 1);
        WatchReader first = WatchReader.Start(pool, Everything);
        await first.SyncedAsync();
        Assert.Equal(WatchFault.TooMany, Assert.Throws<WatchException>(() => WatchReader.Start(pool, Everything)).Fault);
        await first.DisposeAsync();

        await using WatchReader second = WatchReader.Start(pool, Everything);
        await second.SyncedAsync();
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Few_snapshots_at_a_time_serve_many_watchers()
    {
        await using TestPool pool = await StartAsync(options => options.Limits.Snapshots = 1);
        await pool.SubmitAsync([.. Enumerable.Range(0, 2000).Select(i => New($"t{i}", Spec with { Kind = NobodysKind }))]);
        WatchReader[] readers = [.. Enumerable.Range(0, 20).Select(_ => WatchReader.Start(pool, Everything))];
        foreach (WatchReader reader in readers)
        {
            await reader.SyncedAsync();
            Assert.Equal(2000, reader.View.Count);
            await reader.DisposeAsync();
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_drain_ends_watches_at_once()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t");
        await using WatchReader reader = WatchReader.Start(pool, Everything);
        await reader.SyncedAsync();
        Task drain = pool.Pool.DrainAsync();
        Assert.Equal(WatchFault.Draining, (await Assert.ThrowsAsync<WatchException>(() => reader.Ended)).Fault);
        Assert.Equal(WatchFault.Draining, Assert.Throws<WatchException>(() => WatchReader.Start(pool, Everything)).Fault);
        Assert.False(drain.IsCompleted);
        run.Succeed();
        await drain;
    }

    internal static void AssertNoneGoesBack(IEnumerable<WatchEvent> told)
    {
        var known = new Dictionary<TaskId, long>();
        foreach (TaskRecord task in told.Where(one => one.Change is not null).Select(one => one.Change!.Task))
        {
            Assert.True(task.Version >= known.GetValueOrDefault(task.Id), $"{task.Id} went back to version {task.Version}");
            known[task.Id] = task.Version;
        }
    }

    private static async ValueTask<TaskOutcome> YieldAsync(TestRun run)
    {
        await Task.Yield();
        run.Context.ReportProgress(0.5);
        return TaskOutcome.Succeeded();
    }
}
