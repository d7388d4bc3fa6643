using GrpcPool.Core.Handlers;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Execution;
using GrpcPool.Core.Watching;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Watching;

public sealed class WatchResumeTests
{
    private static readonly WatchQuery Everything = new() { Filter = new TaskFilter("default") };

    [Fact(Timeout = TimeoutMs)]
    public async Task A_revision_below_the_floor_above_the_newest_or_older_than_the_history_is_out_of_range()
    {
        await using TestPool pool = await StartAsync(options => options.Limits.WatchHistory = 10);
        long floor = pool.Pool.Revision;
        await pool.SubmitAsync([.. Enumerable.Range(0, 30).Select(i => New($"t{i}", Spec with { Kind = NobodysKind }))]);
        foreach (long revision in (long[])[0, floor - 1, floor, floor + 5, floor + 31, floor + 1_000_000])
        {
            await using WatchReader refused = WatchReader.Start(pool, Everything with { AfterRevision = revision });
            Assert.Equal(WatchFault.OutOfRange, (await Assert.ThrowsAsync<WatchException>(() => refused.Ended)).Fault);
        }

        await using WatchReader reader = WatchReader.Start(pool, Everything with { AfterRevision = floor + 25 });
        await reader.UntilAsync(told => told.Change?.Task.Id.Value == "t29");
        Assert.Equal(5, reader.Told.Count);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_newest_revision_is_one_to_go_on_from()
    {
        await using TestPool pool = await StartAsync();
        for (int i = 0; i < 200; i++)
        {
            TaskRecord task = (await pool.SubmitAsync($"t{i}", Spec with { Kind = NobodysKind })).Task!;
            await using WatchReader reader = WatchReader.Start(pool, Everything with { AfterRevision = task.Revision });
            await pool.CancelAsync($"t{i}");
            await reader.UntilFinalAsync($"t{i}");
            Assert.Single(reader.Told);
        }
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(1, 3000)]
    [InlineData(2, 3000)]
    [InlineData(3, 30_000)]
    public async Task A_watcher_that_is_cut_off_at_random_and_resumes_sees_every_final_state(int seed, int tasks)
    {
        await using TestPool pool = await StartAsync();
        pool.Handler.Behave(static async run =>
        {
            await Task.Yield();
            run.Context.ReportProgress(0.5);
            return run.Context.TaskId.EndsWith('3') ? TaskOutcome.Failed(new Failure(FailureCode.HandlerError, "3", retryable: false)) : TaskOutcome.Succeeded();
        });
        string[] ids = [.. Enumerable.Range(0, tasks).Select(i => $"t{i}")];
        Task<Dictionary<TaskId, TaskRecord>> watching = WatchInPiecesAsync(pool, new Random(seed), ids.Length);
        Task submitting = Task.Run(async () =>
        {
            foreach (string[] part in ids.Chunk(20))
                await pool.SubmitAsync([.. part.Select(id => New(id))]);
        }, TestContext.Current.CancellationToken);
        await submitting;
        Dictionary<TaskId, TaskRecord> view = await watching;

        foreach (string id in ids)
        {
            TaskRecord task = (await pool.FindAsync(id))!;
            Assert.Equal((task.State, task.Revision), (view[Id(id)].State, view[Id(id)].Revision));
        }
    }

    /// <summary>Reads some batches, leaves at any place, goes on after the last revision: until all tasks are final.</summary>
    private static async Task<Dictionary<TaskId, TaskRecord>> WatchInPiecesAsync(TestPool pool, Random random, int tasks)
    {
        var view = new Dictionary<TaskId, TaskRecord>();
        long? revision = null;
        bool complete = false;
        while (!complete)
        {
            int batches = random.Next(1, 6);
            using Watch watch = pool.Pool.Watch(Everything with { AfterRevision = revision });
            await foreach (WatchBatch batch in watch.ReadAsync(TestContext.Current.CancellationToken))
            {
                foreach (WatchEvent told in batch.Events)
                    WatchReader.Apply(view, told);
                if (batch.Revision != 0)
                    revision = batch.Revision;
                complete = view.Count == tasks && view.Values.All(static task => task.State.IsFinal());
                if (complete || (--batches <= 0 && batch.Revision != 0))
                    break;
            }
        }

        return view;
    }
}
