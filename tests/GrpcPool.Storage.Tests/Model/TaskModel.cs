using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests.Model;

/// <summary>
/// What the contract says, told once more and naively: a list of tasks by age, a list per serial key, no index. It shares nothing with the stores but the commands.
/// </summary>
internal sealed class TaskModel
{
    private readonly List<ModelTask> _tasks = [];
    private readonly List<ModelTask> _finished = [];
    private readonly Dictionary<string, List<ModelTask>> _lines = [];
    private readonly Queue<ModelTask> _told = new();
    private DateTimeOffset _endedAt;
    private long _claims;

    /// <summary>All tasks, the oldest first.</summary>
    public IReadOnlyList<ModelTask> Tasks => _tasks;

    /// <summary>The tasks changed by the newest command, in order; a task that is gone is null.</summary>
    public List<(TaskId Id, TaskState? Now)> Changes { get; } = [];

    public DateTimeOffset? NextWake => _tasks.Min(task => task.WakeAt);

    public ModelTask? Find(TaskId id) => _tasks.Find(task => task.Submitted.Id == id);

    public ModelTask? HolderOf(string uniqueKey) => uniqueKey.Length == 0 ? null : _tasks.Find(task => task.Spec.UniqueKey == uniqueKey && !task.IsFinal);

    public bool IsBlocked(ModelTask task) => _lines.GetValueOrDefault(task.Spec.SerialKey) is { } line && line.IndexOf(task) > 0;

    public bool IsReady(ModelTask task) => task.State == TaskState.Queued && !IsBlocked(task);

    /// <summary>What may start in a lane, in order.</summary>
    public IEnumerable<ModelTask> Ready(Lane lane) => _tasks
        .Where(task => IsReady(task) && (task.Spec.Queue, task.Spec.Kind) == (lane.Queue, lane.Kind))
        .OrderByDescending(task => task.Spec.Priority)
        .ThenBy(task => task.RunAt);

    public Verdict[] Insert(InsertTasks insert, DateTimeOffset now)
    {
        if (insert.Atomic)
        {
            var inserted = new List<NewTask>();
            var keys = new HashSet<string>();
            Verdict[] foreseen = [.. insert.Items.Select(item => Foresee(item, inserted, keys))];
            if (foreseen.Any(verdict => verdict is not (Verdict.Done or Verdict.Existing)))
                return [.. foreseen.Select(verdict => verdict is Verdict.Done or Verdict.Existing ? Verdict.Aborted : verdict)];
        }

        return [.. insert.Items.Select(item => Insert(insert.Atomic && item.Mode == InsertMode.WithoutRoom ? item with { Mode = InsertMode.Plain } : item, now))];
    }

    public Verdict Start(TaskId id)
    {
        if (Find(id) is not { } task || !IsReady(task))
            return Verdict.Refused;
        Run(task);
        Changed(task);
        return Verdict.Done;
    }

    public Verdict End(TaskId id, bool stale, AttemptEnding ending, DateTimeOffset now)
    {
        if (Find(id) is not { State: TaskState.Running } task || stale)
            return Verdict.Refused;
        task.Claim = 0;
        RetryPolicy retry = task.Spec.Retry;
        if (ending is AttemptEnding.Succeeded)
            Finish(task, TaskState.Succeeded, null, now);
        else if (task.CancelAsked)
            Finish(task, TaskState.Cancelled, null, now);
        else if (ending is AttemptEnding.Failed failed && (++task.Failures >= retry.MaxAttempts || !failed.Failure.Retryable))
            Finish(task, TaskState.Failed, failed.Failure.Code, now);
        else if (ending is AttemptEnding.Failed again)
            Pause(task, again.Failure.Code, now.AddSeconds(Math.Max(Math.Pow(2, task.Failures - 1), again.RetryAfter?.TotalSeconds ?? 0)));
        else if (ending is AttemptEnding.Lost && ++task.Losses > retry.MaxLosses)
            Finish(task, TaskState.Failed, FailureCode.LeaseLost, now);
        else if (ending is AttemptEnding.Lost)
            Pause(task, FailureCode.LeaseLost, now.AddSeconds(1));
        else if (ending is AttemptEnding.Released { HandlerBegan: true } && retry.MaxLosses == 0)
            Finish(task, TaskState.Failed, FailureCode.LeaseLost, now);
        else
            task.State = TaskState.Queued;
        Changed(task);
        return Verdict.Done;
    }

    public Verdict Log(TaskId id, bool stale, LogPiece piece)
    {
        if (Find(id) is not { State: TaskState.Running } task || stale)
            return Verdict.Refused;
        task.Log.AddRange(new byte[piece.Skipped]);
        if (piece.Skipped > 0)
            task.LogGap = task.Log.Count;
        task.Log.AddRange(piece.Data.Span);
        return Verdict.Done;
    }

    public Verdict Cancel(TaskId id, DateTimeOffset now)
    {
        if (Find(id) is not { } task)
            return Verdict.NotFound;
        if (task.IsFinal || task.CancelAsked)
            return Verdict.Existing;
        if (task.State != TaskState.Running)
            Finish(task, TaskState.Cancelled, null, now);
        task.CancelAsked = true;
        Changed(task);
        return Verdict.Done;
    }

    public Verdict Retry(TaskId id, DateTimeOffset now)
    {
        if (Find(id) is not { } task)
            return Verdict.NotFound;
        if (!task.IsFinal || task.State == TaskState.Succeeded)
            return Verdict.Refused;
        if (HolderOf(task.Spec.UniqueKey) is not null)
            return Verdict.KeyHeld;
        _finished.Remove(task);
        (task.Attempt, task.Failures, task.Losses, task.CancelAsked, task.Failure, task.ExpiresAt) = (0, 0, 0, false, null, null);
        (task.RunAt, task.DueAt) = (now, null);
        BecomeDue(task, now);
        Changed(task);
        return Verdict.Done;
    }

    public Verdict Delete(TaskId id)
    {
        if (Find(id) is not { } task)
            return Verdict.NotFound;
        if (!task.IsFinal)
            return Verdict.Refused;
        if (task.Keepers > 0)
            return Verdict.Awaited;
        Forget(task);
        return Verdict.Done;
    }

    public Verdict Wake(int max, DateTimeOffset now)
    {
        foreach (ModelTask task in _tasks.Where(task => task.WakeAt <= now).OrderBy(task => task.WakeAt).Take(max).ToArray())
        {
            if (task.IsFinal)
            {
                Forget(task);
                continue;
            }

            if (task.StartDeadline <= now && !(task.TotalDeadline <= task.StartDeadline))
                Finish(task, TaskState.Expired, null, now);
            else if (task.TotalDeadline <= now)
                Finish(task, TaskState.Failed, FailureCode.Timeout, now);
            else
                BecomeDue(task, now);
            Changed(task);
        }

        return Verdict.Done;
    }

    public Verdict Prune(int keep, int max)
    {
        ModelTask[] forgotten = [.. _finished.Where(task => task.Keepers == 0).Take(Math.Min(max, Math.Max(0, _finished.Count - keep)))];
        foreach (ModelTask task in forgotten)
            Forget(task);
        return forgotten.Length > 0 ? Verdict.Done : Verdict.NotFound;
    }

    private Verdict Insert(Insertion item, DateTimeOffset now)
    {
        if (Find(item.Task.Id) is { } existing)
            return existing.Submitted.SpecHash!.SequenceEqual(item.Task.SpecHash!) ? Verdict.Existing : Verdict.Conflict;
        if (item.Task.Spec.After.Any(id => Find(Given.Id(id)) is null))
            return Verdict.NoParent;
        if (HolderOf(item.Task.Spec.UniqueKey) is { } holder)
        {
            bool sameQueue = holder.Spec.Queue == item.Task.Spec.Queue;
            if (item.Task.Spec.OnConflict == ConflictPolicy.UseExisting)
                return Verdict.Existing;
            if (item.Task.Spec.OnConflict == ConflictPolicy.Reject || holder.State == TaskState.Running)
                return Verdict.KeyHeld;
            if (item.Mode == InsertMode.WithoutRoom && !sameQueue)
                return Verdict.Full;
            Finish(holder, TaskState.Cancelled, null, now);
            holder.CancelAsked = true;
            Changed(holder);
            if (item.Mode != InsertMode.Start && sameQueue)
                item = item with { Mode = InsertMode.Plain };
        }

        if (item.Mode == InsertMode.WithoutRoom)
            return Verdict.Full;
        if (item.Mode == InsertMode.Displace)
        {
            ModelTask? oldest = _tasks.Find(task => task is { State: TaskState.Queued, Attempt: 0 }
                && task.Spec.Queue == item.Task.Spec.Queue && task.Spec.Priority <= item.Task.Spec.Priority);
            if (oldest is null)
                return Verdict.Full;
            Finish(oldest, TaskState.Cancelled, null, now);
            oldest.CancelAsked = true;
            Changed(oldest);
        }

        var task = new ModelTask(item.Task, now) { State = TaskState.Scheduled, Version = 0 };
        ModelTask[] parents = [.. task.Spec.After.Select(id => Find(Given.Id(id))!)];
        ModelTask? failed = task.Spec.AfterPolicy == AfterPolicy.Cancel ? parents.FirstOrDefault(HasFailed) : null;
        _tasks.Add(task);
        task.Awaits.UnionWith(failed is null ? parents.Where(parent => !parent.IsFinal) : parents);
        if (task.RunAt == now && task.Awaits.Count == 0)
            BecomeDue(task, now);
        if (item.Mode == InsertMode.Start && IsReady(task))
            Run(task);
        Changed(task);
        foreach (ModelTask parent in failed is null ? parents : [])
        {
            task.Keeps.Add(parent);
            parent.Keepers++;
        }

        if (failed is not null)
            CancelFor(task, now);
        return Verdict.Done;
    }

    /// <summary>What an item of an atomic insertion comes to, if nothing frees a unique key meanwhile.</summary>
    private Verdict Foresee(Insertion item, List<NewTask> inserted, HashSet<string> keys)
    {
        TaskSpec spec = item.Task.Spec;
        if ((Find(item.Task.Id)?.Submitted ?? inserted.Find(task => task.Id == item.Task.Id)) is { } same)
            return same.SpecHash!.SequenceEqual(item.Task.SpecHash!) ? Verdict.Existing : Verdict.Conflict;
        if (spec.After.Any(id => Find(Given.Id(id)) is null && inserted.TrueForAll(task => task.Id.Value != id)))
            return Verdict.NoParent;
        ModelTask? holder = HolderOf(spec.UniqueKey);
        bool free = spec.UniqueKey.Length == 0 || (keys.Add(spec.UniqueKey) && holder is null);
        bool replaces = spec.OnConflict == ConflictPolicy.Replace && holder is not { State: TaskState.Running };
        if (!free && !replaces)
            return spec.OnConflict == ConflictPolicy.UseExisting ? Verdict.Existing : Verdict.KeyHeld;
        inserted.Add(item.Task);
        return Verdict.Done;
    }

    private void BecomeDue(ModelTask task, DateTimeOffset now)
    {
        task.State = TaskState.Queued;
        task.DueAt ??= task.RunAt;
        if (task.Spec.SerialKey.Length == 0)
            return;
        if (!_lines.TryGetValue(task.Spec.SerialKey, out List<ModelTask>? line))
            _lines.Add(task.Spec.SerialKey, line = []);
        if (!line.Contains(task))
            line.Add(task);
    }

    private void Run(ModelTask task) =>
        (task.State, task.Attempt, task.Failure, task.Claim) = (TaskState.Running, task.Failures + 1, null, ++_claims);

    private static void Pause(ModelTask task, FailureCode code, DateTimeOffset until) =>
        (task.State, task.Failure, task.RunAt) = (TaskState.Retrying, code, until);

    private void Finish(ModelTask task, TaskState state, FailureCode? failure, DateTimeOffset now)
    {
        (task.State, task.Failure, task.ExpiresAt) = (state, failure, now + task.Spec.Retention);
        _lines.GetValueOrDefault(task.Spec.SerialKey)?.Remove(task);
        _finished.Add(task);
        task.Awaits.Clear();
        _endedAt = now;
    }

    private static bool HasFailed(ModelTask task) => task.IsFinal && task.State != TaskState.Succeeded;

    private void CancelFor(ModelTask task, DateTimeOffset now)
    {
        Finish(task, TaskState.Cancelled, null, now);
        task.CancelAsked = true;
        Changed(task);
    }

    /// <summary>Whoever is to run after one that has ended hears of it; those who have ended by that are heard of after all of them.</summary>
    private void Tell(ModelTask ended)
    {
        _told.Enqueue(ended);
        if (_told.Count > 1)
            return;
        while (_told.TryPeek(out ModelTask? next))
        {
            foreach (ModelTask task in _tasks.Where(task => task.Awaits.Contains(next)).ToArray())
            {
                if (!task.Awaits.Remove(next))
                    continue;
                if (HasFailed(next) && task.Spec.AfterPolicy == AfterPolicy.Cancel)
                    CancelFor(task, _endedAt);
                else if (task.Awaits.Count == 0 && task.RunAt <= _endedAt)
                    Follow(task);
            }

            foreach (ModelTask kept in next.Keeps)
                kept.Keepers--;
            next.Keeps.Clear();
            _told.Dequeue();
        }
    }

    private void Follow(ModelTask task)
    {
        task.RunAt = _endedAt;
        BecomeDue(task, _endedAt);
        Changed(task);
    }

    private void Changed(ModelTask task)
    {
        task.Version++;
        Changes.Add((task.Submitted.Id, task.State));
        if (task.IsFinal)
            Tell(task);
    }

    private void Forget(ModelTask task)
    {
        _tasks.Remove(task);
        _finished.Remove(task);
        Changes.Add((task.Submitted.Id, null));
    }
}
