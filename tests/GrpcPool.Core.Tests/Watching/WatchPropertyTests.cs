using CsCheck;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Execution;
using GrpcPool.Core.Watching;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Watching;

/// <summary>Whatever happens, what a watcher has put together from its events is in the end what the store holds.</summary>
public sealed class WatchPropertyTests
{
    private static readonly Gen<(int Verb, int Id)[][]> Callers = Gen.Select(Gen.Int[0, 7], Gen.Int[0, 30]).Array[30, 80].Array[3];

    [Fact(Timeout = TimeoutMs)]
    public Task A_watchers_view_equals_the_stores() => Callers.SampleAsync(CheckAsync, iter: 60, threads: 1);

    private static async Task CheckAsync((int Verb, int Id)[][] callers)
    {
        await using TestPool pool = await StartAsync(options => options.Pool.Slots = 3);
        pool.Handler.Behave(static async run =>
        {
            await Task.Yield();
            run.Context.ReportProgress(0.5);
            return run.Context.TaskId.EndsWith('3') ? TaskOutcome.Failed(new Failure(FailureCode.HandlerError, "3", retryable: false)) : TaskOutcome.Succeeded();
        });
        var query = new WatchQuery { Filter = new TaskFilter("default") };
        await using WatchReader early = WatchReader.Start(pool, query);
        await using WatchReader slow = WatchReader.Start(pool, query, slow: true);
        Task working = Task.WhenAll(callers.Select(wishes => Task.Run(async () =>
        {
            foreach ((int verb, int id) in wishes)
                await DoAsync(pool, verb, $"t{id}");
        })));
        await using WatchReader late = WatchReader.Start(pool, query);
        await working;
        slow.Read(100_000);
        await pool.SubmitAsync("last", TestPool.Spec with { Kind = NobodysKind });
        while ((await AllAsync(pool)).Any(static task => task.Spec.Kind != NobodysKind && task.State is (TaskState.Queued or TaskState.Running)))
            await Task.Yield();
        await pool.CancelAsync("last");
        foreach (WatchReader reader in (WatchReader[])[early, late, slow])
            await CompareAsync(pool, reader);
    }

    private static async Task CompareAsync(TestPool pool, WatchReader reader)
    {
        await reader.UntilFinalAsync("last");
        IReadOnlyList<TaskRecord> all = await AllAsync(pool);
        foreach (TaskRecord task in all.Where(static task => task.State.IsFinal()))
            await reader.UntilAsync(told => told.Change is { Type: ChangeType.Changed } change && change.Task.Revision == task.Revision);
        Assert.Equal(
            all.Select(task => (task.Id, task.Revision, task.State)).ToHashSet(),
            reader.View.Values.Select(task => (task.Id, task.Revision, task.State)).ToHashSet());
    }

    private static async Task<IReadOnlyList<TaskRecord>> AllAsync(TestPool pool)
    {
        TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        return (await pool.Store.ScanAsync(new TaskScan(new TaskFilter("default"), null, NewestFirst: false, 1000))).Tasks;
    }

    private static Task DoAsync(TestPool pool, int verb, string id) => verb switch
    {
        0 => pool.CancelAsync(id),
        1 => pool.Pool.RetryAsync(Id(id)),
        2 => pool.Pool.DeleteAsync(Id(id)),
        3 => pool.SubmitAsync(id, runAt: pool.Now.AddDays(1)),
        _ => pool.SubmitAsync(id),
    };
}
