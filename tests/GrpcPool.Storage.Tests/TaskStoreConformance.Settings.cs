using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

public abstract partial class TaskStoreConformance
{
    [Fact(Timeout = TestMilliseconds)]
    public async Task Changed_settings_are_taken_and_change_no_task()
    {
        TaskRecord task = await Store.InsertAsync(Given.Task("a"));
        CommitResult commit = await Store.CommitAsync(new ChangeSettings([new("Pool:Slots", "4"), new("Queues:mail:Paused", "True"), new("Queues:none:Limit", null)]));

        Assert.Equal(Verdict.Done, Assert.Single(commit.Outcomes).Verdict);
        Assert.Equal((0, task.Revision), (commit.Changes.Count, commit.Revision));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Changed_settings_outlive_the_process_until_they_are_changed_back()
    {
        ITaskStore store = CreateStore(HistoryMax);
        Assert.Empty((await store.OpenAsync(Given.Now, TestContext.Current.CancellationToken)).Settings);
        await store.CommitAsync([new ChangeSettings([new("Pool:Slots", "4"), new("Queues:mail:Limit", "none"), new("Queues:mail:Paused", "True")])], Given.Now);
        await store.CommitAsync([new ChangeSettings([new("Pool:Slots", "8"), new("Queues:mail:Paused", null)])], Given.Now);
        if (Reopen(store) is not { } next)
            return;
        StoreState state = await next.OpenAsync(Given.Now, TestContext.Current.CancellationToken);

        Assert.Equal([new SettingChange("Pool:Slots", "8"), new SettingChange("Queues:mail:Limit", "none")], state.Settings.OrderBy(static setting => setting.Key, StringComparer.Ordinal));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Only_what_waits_is_cancelled_where_nothing_else_is_meant()
    {
        TaskRecord running = await Store.RunAsync(Given.Task("runs"));
        TaskRecord ended = await Store.EndAsync(Given.Task("ended"), Given.Success);
        TaskRecord waits = await Store.InsertAsync(Given.Task("waits"));
        CommitResult commit = await Store.CommitAsync([.. new[] { running, ended, waits }.Select(static task => new CancelTask(task.Id, "purged", "") { OnlyWaiting = true })]);

        Assert.Equal([Verdict.Refused, Verdict.Refused, Verdict.Done], commit.Outcomes.Select(static outcome => outcome.Verdict));
        Assert.Equal(("waits", TaskState.Cancelled), (Assert.Single(commit.Changes).Task.Id.Value, commit.Changes[0].Task.State));
    }
}
