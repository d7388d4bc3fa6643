using CsCheck;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Tests.Model;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

public abstract partial class TaskStoreConformance
{
    [Fact(Timeout = TestMilliseconds)]
    public async Task Random_histories_agree_with_the_contract() => await Histories.All.SampleAsync(
        async history =>
        {
            var run = new ModelRun(await StoreDriver.OpenAsync(CreateStore(HistoryMax)), Reopen);
            foreach (Step.Batch batch in history)
                await run.CommitAsync(batch);
        },
        iter: HistoriesTried,
        threads: 2,
        print: history => string.Join('\n', history.Select(batch => batch.ToString())));

    [Fact(Timeout = TestMilliseconds)]
    public async Task Readers_see_whole_commits_only()
    {
        const int groupSize = 10, commits = 150;
        using var done = new CancellationTokenSource();
        Task[] readers = [Read(AssertScanIsWhole), Read(AssertChangesAreWhole), Read(AssertFoundIsWhole)];
        for (int i = 0; i < commits; i++)
        {
            string[] ids = [.. Enumerable.Range(0, groupSize).Select(member => $"g{i % 20}-{member}")];
            TaskCommand[] forget = [.. ids.SelectMany(id => (TaskCommand[])[Given.Cancel(id), new DeleteTask(Given.Id(id))])];
            await Store.CommitAsync([.. forget, Given.InsertAtomic([.. ids.Select(id => Given.Task(id))])]);
            await Store.CommitAsync([.. ids.Select(Given.Cancel)]);
            await Task.Yield();
        }

        await done.CancelAsync();
        await Task.WhenAll(readers);

        Task Read(Func<Task> once) => Task.Run(
            async () =>
            {
                do
                    await once();
                while (!done.IsCancellationRequested);
            },
            TestContext.Current.CancellationToken);

        async Task AssertScanIsWhole()
        {
            TaskPage page = await Store.Store.ScanAsync(new TaskScan(new TaskFilter(Given.Namespace), null, NewestFirst: true, 1000));
            AssertWhole(page.Tasks.Select(task => (task.Id, task.Version)));
        }

        async Task AssertChangesAreWhole()
        {
            ChangePage page = await Store.Store.ReadChangesAsync(Store.Opened.Floor, 10_000);
            if (page.Complete)
                AssertWhole(page.Changes.Where(change => change.Task is not null).Select(change => (change.Id, change.Task!.Version)));
        }

        async Task AssertFoundIsWhole()
        {
            // Reads one after the other may fall to both sides of a commit, but never back.
            var first = await Store.Store.FindAsync(Given.Id("g0-0"));
            var last = await Store.Store.FindAsync(Given.Id($"g0-{groupSize - 1}"));
            if (first is not null)
                Assert.True(last!.Revision >= first.Revision);
        }

        void AssertWhole(IEnumerable<(TaskId Id, long Version)> tasks)
        {
            foreach (var group in tasks.GroupBy(task => task.Id.Value.Split('-')[0]))
            {
                Assert.Equal(groupSize, group.Count());
                Assert.Single(group.Select(task => task.Version).Distinct());
            }
        }
    }
}
