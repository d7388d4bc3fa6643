using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Execution;
using GrpcPool.Core.Watching;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Watching;

public sealed class WatchByIdTests
{
    [Fact(Timeout = TimeoutMs)]
    public async Task It_ends_when_all_watched_tasks_are_final()
    {
        await using TestPool pool = await StartAsync();
        TestRun a = await pool.RunAsync("a");
        TestRun b = await pool.RunAsync("b");
        await using WatchReader reader = WatchReader.Start(pool, Of("a", "b", "a"));
        await reader.SyncedAsync();
        a.Succeed();
        await reader.UntilFinalAsync("a");
        Assert.False(reader.Ended.IsCompleted);
        b.Succeed();

        await reader.Ended;
        Assert.Equal(TaskState.Succeeded, reader.View[Id("b")].State);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task It_ends_at_once_when_all_are_final_already()
    {
        await using TestPool pool = await StartAsync();
        (await pool.RunAsync("a")).Succeed();
        await pool.WhenAsync("a", TaskState.Succeeded);
        await using WatchReader reader = WatchReader.Start(pool, Of("a"));

        await reader.Ended;
        Assert.Equal([WatchEventType.Snapshot, WatchEventType.Synced], reader.Told.Select(told => told.Type));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_unknown_id_is_refused_before_any_event()
    {
        await using TestPool pool = await StartAsync();
        await pool.RunAsync("a");
        await using WatchReader reader = WatchReader.Start(pool, Of("a", "unknown"));

        Assert.Equal(WatchFault.NotFound, (await Assert.ThrowsAsync<WatchException>(() => reader.Ended)).Fault);
        Assert.Empty(reader.Told);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_watched_id_that_is_gone_at_a_resume_is_told_as_deleted()
    {
        await using TestPool pool = await StartAsync();
        TestRun a = await pool.RunAsync("a");
        await pool.RunAsync("b");
        await pool.SettleAsync();
        WatchReader first = WatchReader.Start(pool, Of("a", "b"));
        await first.SyncedAsync();
        long revision = first.Revision;
        await first.DisposeAsync();
        a.Succeed();
        await pool.WhenAsync("a", TaskState.Succeeded);
        await pool.Pool.DeleteAsync(Id("a"));
        await using WatchReader again = WatchReader.Start(pool, Of("a", "b") with { AfterRevision = revision });
        await again.UntilAsync(told => told.Type == WatchEventType.Deleted && told.Change!.Task.Id == Id("a"));

        Assert.False(again.Ended.IsCompleted);
        await pool.CancelAsync("b");
        await again.Ended;
        Assert.Equal(TaskState.Cancelled, again.View[Id("b")].State);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_resume_tells_what_became_final_meanwhile_and_ends()
    {
        await using TestPool pool = await StartAsync();
        TestRun a = await pool.RunAsync("a");
        TestRun b = await pool.RunAsync("b");
        b.Succeed();
        TaskRecord ended = await pool.WhenAsync("b", TaskState.Succeeded);
        a.Succeed();
        await pool.WhenAsync("a", TaskState.Succeeded);
        await pool.SettleAsync();
        await using WatchReader reader = WatchReader.Start(pool, Of("a", "b") with { AfterRevision = ended.Revision });

        await reader.Ended;
        Assert.Equal("a", Assert.Single(reader.Told).Change!.Task.Id.Value);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_wait_answers_at_the_end_and_at_its_timeout_and_for_what_is_gone()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t");
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        Task<TaskRecord?> impatient = pool.Pool.WaitAsync(Id("t"), TimeSpan.FromSeconds(5), cancellation);
        Task<TaskRecord?> patient = pool.Pool.WaitAsync(Id("t"), TimeSpan.FromDays(1), cancellation);
        await pool.AdvanceUntilAsync(impatient);
        Assert.Equal(TaskState.Running, (await impatient)!.State);
        run.Succeed();
        Assert.Equal(TaskState.Succeeded, (await patient)!.State);

        Assert.Null(await pool.Pool.WaitAsync(Id("unknown"), TimeSpan.FromSeconds(5), cancellation));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_wait_answers_with_the_end_of_a_task_that_is_forgotten_at_once()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t", Spec with { Retention = TimeSpan.Zero });
        Task<TaskRecord?> wait = pool.Pool.WaitAsync(Id("t"), TimeSpan.FromDays(1), TestContext.Current.CancellationToken);
        run.Succeed();

        Assert.Equal(TaskState.Succeeded, (await wait)?.State);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_caller_who_leaves_a_wait_is_not_answered()
    {
        await using TestPool pool = await StartAsync();
        await pool.RunAsync("t");
        using var leaving = new CancellationTokenSource();
        Task wait = pool.Pool.WaitAsync(Id("t"), TimeSpan.FromDays(1), leaving.Token);
        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
    }

    private static WatchQuery Of(params string[] ids) => new() { Ids = [.. ids.Select(id => Id(id))] };
}
