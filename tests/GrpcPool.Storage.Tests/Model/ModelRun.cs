using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests.Model;

/// <summary>Carries a history out on a store and on the model, and compares all that can be seen of both after each commit.</summary>
/// <param name="store">The store.</param>
/// <param name="reopen">Ends a process that has the store open, and makes the store for the next; null where there is none.</param>
internal sealed class ModelRun(StoreDriver store, Func<ITaskStore, ITaskStore?> reopen)
{
    /// <summary>In histories a process ends now and then, after commits at which so much time has passed.</summary>
    private const int SecondsBeforeReopening = 3;

    private static readonly Lane[] Lanes = [Given.Lane, Given.Lane with { Kind = "sleep" }, Given.Lane with { Queue = "other" }];

    private static readonly AttemptEnding[] Endings =
        [Given.Success, Given.RetryableFailure, Given.FinalFailure, Given.Loss, Given.ReleasedUnrun, Given.ReleasedAfterItBegan, Given.RateLimited];

    private const int LogBytesMax = 3 * LogChunk.BytesMax;

    private readonly TaskModel _model = new();
    private readonly Dictionary<TaskId, long> _revisions = [];

    /// <summary>The model's claims as of the last commit.</summary>
    private readonly Dictionary<TaskId, long> _claims = [];

    private long _before;
    private byte _piece;

    public async Task CommitAsync(Step.Batch batch)
    {
        store.Pass(TimeSpan.FromSeconds(batch.Seconds));
        _before = store.Revision;
        _model.Changes.Clear();
        var commands = new List<TaskCommand>();
        var verdicts = new List<Verdict[]>();
        foreach (Step step in batch.Steps)
        {
            (TaskCommand command, Verdict[] expected) = await CarryOutAsync(step);
            commands.Add(command);
            verdicts.Add(expected);
        }

        Compare(verdicts, await store.CommitAsync([.. commands]));
        await CompareTasksAsync();
        await CompareReadyAsync();
        await CompareUniqueAsync();
        await CompareHistoryAsync();
        if (batch.Seconds == SecondsBeforeReopening && reopen(store.Store) is { } next)
        {
            await store.ReopenAsync(next);
            CompareOpened();
        }
    }

    private void CompareOpened()
    {
        Assert.Equal(_model.NextWake, store.Opened.NextWake);
        Assert.Equal(
            _model.Tasks.GroupBy(task => (new Lane(task.Submitted.Id.Namespace, task.Spec.Queue, task.Spec.Kind), task.State)).ToDictionary(group => group.Key, group => group.LongCount()),
            store.Opened.Counts.ToDictionary(count => (count.Lane, count.State), count => count.Count));
        foreach (LaneCount count in store.Opened.Counts)
            Assert.Equal(count.State == TaskState.Queued ? _model.Ready(count.Lane).LongCount() : 0, count.Ready);
    }

    private async Task<(TaskCommand Command, Verdict[] Expected)> CarryOutAsync(Step step)
    {
        switch (step)
        {
            case Step.Insert insert:
                var tasks = new InsertTasks([.. insert.Tasks.Select(task => new Insertion(TaskOf(task), (InsertMode)insert.Mode))], insert.Atomic);
                return (tasks, _model.Insert(tasks, store.Now));
            case Step.Start start:
                return (new StartTask(IdOf(start.Id)), [_model.Start(IdOf(start.Id))]);
            case Step.End end:
                (long ended, bool endedBefore) = await ClaimAsync(IdOf(end.Id), end.Stale);
                LogPiece last = new("the end"u8.ToArray(), 0, LogBytesMax);
                _model.Log(IdOf(end.Id), endedBefore, last);
                return (new EndAttempt(IdOf(end.Id), ended, Endings[end.Ending]) { LastPiece = last }, [_model.End(IdOf(end.Id), endedBefore, Endings[end.Ending], store.Now)]);
            case Step.Log log:
                (long claim, bool stale) = await ClaimAsync(IdOf(log.Id), log.Stale);
                LogPiece piece = PieceOf(log);
                return (new AppendLog(IdOf(log.Id), claim, piece), [_model.Log(IdOf(log.Id), stale, piece)]);
            case Step.Cancel cancel:
                return (new CancelTask(IdOf(cancel.Id), "", ""), [_model.Cancel(IdOf(cancel.Id), store.Now)]);
            case Step.Retry retry:
                return (new RetryTask(IdOf(retry.Id)), [_model.Retry(IdOf(retry.Id), store.Now)]);
            case Step.Delete delete:
                return (new DeleteTask(IdOf(delete.Id)), [_model.Delete(IdOf(delete.Id))]);
            case Step.Wake wake:
                return (new WakeTasks(wake.Max), [_model.Wake(wake.Max, store.Now)]);
            default:
                var prune = (Step.Prune)step;
                return (new PruneTasks(prune.Keep, prune.Max), [_model.Prune(prune.Keep, prune.Max)]);
        }
    }

    /// <summary>The claim is the one that was committed; where the attempt began within this commit nobody can know it.</summary>
    private async Task<(long Claim, bool IsStale)> ClaimAsync(TaskId id, bool former)
    {
        TaskRecord? known = await store.Store.FindAsync(id);
        bool stale = former || known is not { State: TaskState.Running } || _model.Find(id)?.Claim != _claims.GetValueOrDefault(id);
        return ((known?.Claim ?? 0) - (former ? 1 : 0), stale);
    }

    private void Compare(List<Verdict[]> expected, CommitResult commit)
    {
        Assert.Equal(expected, commit.Outcomes.Select(outcome => outcome.Items?.Select(item => item.Verdict).ToArray() ?? [outcome.Verdict]));
        Assert.Equal(_model.Changes, commit.Changes.Select(change => (change.Task.Id, change.Type == ChangeType.Changed ? change.Task.State : (TaskState?)null)));
        Assert.Equal(_model.NextWake, commit.NextWake);
        foreach (TaskChange change in commit.Changes)
            _revisions[change.Task.Id] = change.Revision;
        _claims.Clear();
        foreach (ModelTask task in _model.Tasks)
            _claims[task.Submitted.Id] = task.Claim;
    }

    private async Task CompareTasksAsync()
    {
        List<TaskRecord> tasks = await store.ScanAsync(limit: 3);
        Assert.Equal(_model.Tasks.Select(View), tasks.Select(View));
        foreach (TaskRecord task in tasks)
            Assert.Equal(task.Revision, (await store.Store.FindAsync(task.Id))!.Revision);
        foreach (ModelTask task in _model.Tasks)
            await CompareLogAsync(task);
    }

    private async Task CompareLogAsync(ModelTask task)
    {
        (byte[] kept, long truncatedBefore) = await store.ReadLogAsync(task.Submitted.Id.Value, bytesMax: 5000);
        Assert.Equal(task.Log.Skip((int)truncatedBefore), kept);
        long fromBound = Math.Max(0, task.Log.Count - LogBytesMax);
        Assert.InRange(truncatedBefore, Math.Max(task.LogGap, fromBound), Math.Max(task.LogGap, fromBound == 0 ? 0 : fromBound + LogChunk.BytesMax - 1));
    }

    private async Task CompareReadyAsync()
    {
        foreach (Lane lane in Lanes)
        {
            ModelTask[] ready = [.. _model.Ready(lane)];
            Assert.Equal(ready.Select(task => task.Submitted.Id.Value), await store.ReadyAsync(lane));
            Assert.Equal(ready.Where(task => task.Spec.Slots == 1).Take(2).Select(task => task.Submitted.Id.Value), await store.ReadyAsync(lane, slotsMax: 1, limit: 2));
        }

        foreach (var line in (await store.ScanAsync()).Where(task => task.Line != 0).GroupBy(task => task.Spec.SerialKey))
            Assert.Equal(line.MinBy(task => task.Line), Assert.Single(line, task => !task.Blocked));
    }

    private async Task CompareUniqueAsync()
    {
        foreach (string key in (string[])["unique0", "unique1"])
            Assert.Equal(_model.HolderOf(key)?.Submitted.Id, (await store.Store.FindUniqueAsync(Given.Namespace, key))?.Id);
    }

    private async Task CompareHistoryAsync()
    {
        ChangePage page = await store.Store.ReadChangesAsync(_before, 1000);
        Assert.True(page.Complete);
        Assert.Equal(store.Revision, page.UpTo);
        Dictionary<TaskId, HistoricChange> newest = page.Changes.GroupBy(change => change.Id).ToDictionary(changes => changes.Key, changes => changes.Last());
        Assert.Equal(_model.Changes.Select(change => change.Id).ToHashSet(), newest.Keys.ToHashSet());
        foreach ((TaskId id, HistoricChange change) in newest)
        {
            Assert.Equal(_revisions[id], change.Revision);
            Assert.Equal((await store.Store.FindAsync(id))?.Version, change.Task?.Version);
        }
    }

    private object View(ModelTask task) => (
        task.Submitted.Id.Value, task.State, (long)task.Version, task.Attempt, task.Failures, task.Losses, task.CancelAsked,
        (task.Claim != 0, _model.IsBlocked(task), task.RunAt, task.DueAt, task.ExpiresAt, task.Failure, task.Awaits.Count, task.Keepers));

    private static object View(TaskRecord task) => (
        task.Id.Value, task.State, task.Version, task.Attempt, task.Failures, task.Losses, task.Cancellation is not null,
        (task.Claim != 0, task.Blocked, task.RunAt, task.DueAt, task.ExpiresAt, task.Failure?.Code, task.Awaits, task.Dependants));

    private LogPiece PieceOf(Step.Log log)
    {
        byte[] data = new byte[log.Bytes == 0 ? LogBytesMax : log.Bytes];
        Array.Fill(data, ++_piece);
        return new LogPiece(data, log.Bytes == 0 ? 100 : 0, LogBytesMax);
    }

    private static TaskId IdOf(int id) => Given.Id($"t{id}");

    private NewTask TaskOf(Step.Submitted task)
    {
        TaskSpec spec = Given.Spec with
        {
            Queue = Lanes[task.Lane].Queue,
            Kind = Lanes[task.Lane].Kind,
            SerialKey = task.Key <= 1 ? "" : $"key{task.Key}",
            UniqueKey = task.Unique == 0 ? "" : $"unique{task.Unique % 2}",
            OnConflict = (ConflictPolicy)(1 + task.Unique / 2 % 3),
            After = [.. Enumerable.Range(0, 8).Where(id => (task.After & (1 << id)) != 0).Select(id => IdOf(id).Value)],
            AfterPolicy = task.RunsAnyway ? AfterPolicy.RunAnyway : AfterPolicy.Cancel,
            Slots = task.Slots,
            Priority = task.Priority,
            StartTimeout = (task.Timeouts & 1) != 0 ? TimeSpan.FromSeconds(4) : null,
            TotalTimeout = (task.Timeouts & 2) != 0 ? TimeSpan.FromSeconds(7) : null,
            Retry = Given.ThreeAttempts with { MaxLosses = (task.Timeouts & 4) != 0 ? 0 : 2 },
            Retention = TimeSpan.FromSeconds(10),
        };
        return new NewTask(IdOf(task.Id), spec) { SpecHash = [(byte)(task.OtherSpec ? 2 : 1)], RunAt = task.Delay == 0 ? null : store.Now.AddSeconds(task.Delay) };
    }
}
