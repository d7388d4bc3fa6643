using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Storage.Tests.Model;

/// <summary>
/// What the contract says, told once more and naively: a list of tasks by age, a list per serial key, no index. It shares nothing with the stores but the commands.
/// </summary>
internal sealed class TaskModel
{
    private readonly List<ModelTask> _tasks = [];
    private readonly List<ModelTask> _finished = [];
    private readonly Dictionary<string, List<ModelTask>> _lines = [];
    private long _claims;

    /// <summary>All tasks, the oldest first.</summary>
    public IReadOnlyList<ModelTask> Tasks => _tasks;

    /// <summary>The tasks changed by the newest command, in order; a task that is gone is null.</summary>
    public List<(TaskId Id, TaskState? Now)> Changes { get; } = [];

    public DateTimeOffset? NextWake => _tasks.Min(task => task.WakeAt);

    public ModelTask? Find(TaskId id) => _tasks.Find(task => task.Submitted.Id == id);

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
            bool[] conflicts = [.. insert.Items.Select((item, i) =>
                SubmittedBefore(insert, i) is { } same && !same.SpecHash!.SequenceEqual(item.Task.SpecHash!))];
            if (conflicts.Any(conflict => conflict))
                return [.. conflicts.Select(conflict => conflict ? Verdict.Conflict : Verdict.Aborted)];
        }

        return [.. insert.Items.Select(item => Insert(item, now))];
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
        foreach (ModelTask task in _finished.SkipLast(keep).Take(max).ToArray())
            Forget(task);
        return Verdict.Done;
    }

    private Verdict Insert(Insertion item, DateTimeOffset now)
    {
        if (Find(item.Task.Id) is { } existing)
            return existing.Submitted.SpecHash!.SequenceEqual(item.Task.SpecHash!) ? Verdict.Existing : Verdict.Conflict;
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
        _tasks.Add(task);
        if (task.RunAt == now)
            BecomeDue(task, now);
        if (item.Mode == InsertMode.Start && IsReady(task))
            Run(task);
        Changed(task);
        return Verdict.Done;
    }

    private NewTask? SubmittedBefore(InsertTasks insert, int place) =>
        Find(insert.Items[place].Task.Id)?.Submitted ?? insert.Items.Take(place).Select(item => item.Task).FirstOrDefault(task => task.Id == insert.Items[place].Task.Id);

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
    }

    private void Changed(ModelTask task)
    {
        task.Version++;
        Changes.Add((task.Submitted.Id, task.State));
    }

    private void Forget(ModelTask task)
    {
        _tasks.Remove(task);
        _finished.Remove(task);
        Changes.Add((task.Submitted.Id, null));
    }
}
