using System.Diagnostics;
using GrpcPool.Core.Schedules;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage;

/// <summary>The few things that a store does to single rows, within a transaction.</summary>
internal interface ITaskTable
{
    /// <summary>The schedules that submit tasks.</summary>
    IScheduleTable Schedules { get; }

    /// <summary>The next revision; none is given twice.</summary>
    long NextRevision();

    TaskRecord? Find(TaskId id);

    /// <summary>Writes a task; <paramref name="before"/> is null for a new one.</summary>
    void Write(TaskRecord? before, TaskRecord after);

    /// <summary>Removes a task with its log; the revision at which it goes belongs to the history.</summary>
    void Remove(TaskRecord task, long revision);

    /// <summary>The first of a serial key's line; null where nobody stands in it.</summary>
    TaskRecord? FirstInLine(string @namespace, string serialKey);

    /// <summary>The task that has a unique key and has not ended; null where there is none.</summary>
    TaskRecord? UniqueTask(string @namespace, string key);

    /// <summary>From now on a task is one of those after which another is to run.</summary>
    /// <param name="parent">The one.</param>
    /// <param name="dependant">The other.</param>
    /// <param name="waits">Whether the other waits for it, or only keeps it since it has ended.</param>
    void AddDependency(TaskRecord parent, TaskRecord dependant, bool waits);

    /// <summary>The tasks that wait for one, the oldest first. From now on they do not, but they keep it.</summary>
    IReadOnlyList<TaskRecord> TakeWaiting(TaskRecord parent);

    /// <summary>The tasks that one keeps. From now on it does not.</summary>
    IReadOnlyList<TaskRecord> TakeParents(TaskRecord dependant);

    /// <summary>The oldest queued task of a queue that never started, with at most this priority.</summary>
    TaskRecord? OldestNeverStarted(string @namespace, string queue, int priorityMax);

    /// <summary>Tasks whose <see cref="TaskRecord.WakeAt"/> has come, the earliest first.</summary>
    IReadOnlyList<TaskRecord> DueToWake(DateTimeOffset now, int max);

    /// <summary>The oldest finished tasks that nobody keeps, as many as there are finished ones above a number.</summary>
    IReadOnlyList<TaskRecord> FinishedAbove(int keep, int max);

    /// <summary>Makes a kind known; it may be already.</summary>
    void AddKind(DeclaredKind kind);

    /// <summary>Keeps a changed setting; a null value forgets it.</summary>
    void WriteSetting(SettingChange change);

    /// <summary>The newest chunk of a task's log; null where the log is empty.</summary>
    LogChunk? LastLogChunk(TaskRecord task);

    /// <summary>Writes a chunk of a task's log, in the place of one with the same offset.</summary>
    void WriteLogChunk(TaskRecord task, LogChunk chunk);

    /// <summary>Drops the chunks of a task's log that begin before an offset.</summary>
    void DropLogChunks(TaskRecord task, long before);
}

/// <summary>What each command means, in terms of rows: the same for every store that keeps its rows within reach of this process.</summary>
internal sealed class CommandInterpreter : IScheduledTasks
{
    private readonly ITaskTable _table;
    private readonly ScheduleInterpreter _schedules;
    private readonly Dependencies _dependencies;
    private readonly List<CommandOutcome> _outcomes;
    private readonly List<TaskChange> _changes;
    private readonly List<TaskRecord> _unblocked = [];
    private readonly List<TaskChange> _logged = [];

    private CommandInterpreter(ITaskTable table, int commands)
    {
        _table = table;
        (_outcomes, _changes) = (new(commands), new(commands));
        _schedules = new ScheduleInterpreter(table.Schedules, this);
        _dependencies = new Dependencies(table, (before, after) => Write(before, Join(after, before)));
    }

    public static CommitResult Execute(ITaskTable table, IReadOnlyList<TaskCommand> commands, DateTimeOffset now, Func<(long Revision, DateTimeOffset? NextWake)> end)
    {
        var interpreter = new CommandInterpreter(table, commands.Count);
        foreach (TaskCommand command in commands)
            interpreter._outcomes.Add(interpreter.Execute(command, now));
        interpreter._unblocked.RemoveAll(task => table.Find(task.Id)?.Revision != task.Revision);
        (long revision, DateTimeOffset? nextWake) = end();
        return new CommitResult(interpreter._outcomes, interpreter._changes, interpreter._unblocked, interpreter._logged, revision, nextWake);
    }

    private CommandOutcome Execute(TaskCommand command, DateTimeOffset now) => command switch
    {
        InsertTasks insert => Insert(insert, now),
        StartTask start => Start(start, now),
        LeaveRunning leave => Leave(leave),
        DeclareKinds declare => Declare(declare),
        ChangeSettings change => Change(change),
        AppendLog append => Append(append),
        EndAttempt end => End(end, now),
        CancelTask cancel => Cancel(cancel, now),
        RetryTask retry => Retry(retry, now),
        DeleteTask delete => Delete(delete),
        WakeTasks wake => Wake(wake, now),
        ScheduleCommand schedule => _schedules.Execute(schedule, now),
        PruneTasks prune => Prune(_table.FinishedAbove(prune.Keep, prune.Max)),
        _ => throw new UnreachableException(),
    };

    private CommandOutcome Insert(InsertTasks insert, DateTimeOffset now)
    {
        if (insert.Atomic && new AtomicInsertion(_table).Refusals(insert.Items) is { } refusals)
            return new CommandOutcome(Verdict.Aborted, Items: refusals);
        var outcomes = new CommandOutcome[insert.Items.Count];
        for (int i = 0; i < outcomes.Length; i++)
        {
            // What was foreseen to need no room is let in even if its key has become free by an item before it.
            Insertion item = insert.Items[i];
            outcomes[i] = Insert(insert.Atomic && item.Mode == InsertMode.WithoutRoom ? item with { Mode = InsertMode.Plain } : item, now);
        }

        return new CommandOutcome(Verdict.Done, Items: outcomes);
    }

    private CommandOutcome Insert(Insertion item, DateTimeOffset now)
    {
        NewTask task = item.Task;

        // An id that the server made is new, and need not be looked for.
        if (task.SpecHash is not null && _table.Find(task.Id) is { } existing)
            return new CommandOutcome(SameHash(existing.SpecHash ?? [], task.SpecHash) ? Verdict.Existing : Verdict.Conflict, existing);
        if (task.Spec.After.Count > 0 && Dependencies.FindMissing(task, id => _table.Find(id) is not null) is { } missing)
            return new CommandOutcome(Verdict.NoParent, Place: missing);
        if (_table.HolderOf(task.Id.Namespace, task.Spec) is { } holder)
        {
            Verdict verdict = UniqueKeys.Decide(item, holder);
            if (verdict != Verdict.Done)
                return new CommandOutcome(verdict, holder);
            Write(holder, TaskTransitions.Cancel(holder, new Cancellation("replaced", task.SubmittedBy, now), NextStamp(now)));
            if (item.Mode != InsertMode.Start && holder.Spec.Queue == task.Spec.Queue)
                item = item with { Mode = InsertMode.Plain };
        }

        if (item.Mode == InsertMode.WithoutRoom || (item.Mode == InsertMode.Displace && !MakeRoom(task, now)))
            return new CommandOutcome(Verdict.Full);
        return new CommandOutcome(Verdict.Done, InsertNew(task, item.Mode == InsertMode.Start ? item.Start : null, now));
    }

    private TaskRecord InsertNew(NewTask task, AttemptStart? start, DateTimeOffset now)
    {
        bool lineTaken = task.Spec.SerialKey.Length > 0 && _table.FirstInLine(task.Id.Namespace, task.Spec.SerialKey) is not null;
        TaskRecord[] parents = task.Spec.After.Count == 0 ? [] : _dependencies.ParentsOf(task);
        int awaits = Dependencies.CountAwaited(task.Spec, parents);
        TaskRecord inserted = Write(null, TaskTransitions.Submit(task.Id, task.Spec, task.SpecHash, task.SubmittedBy, task.RunAt, NextStamp(now), lineTaken, start, awaits));
        if (task.Spec.ScheduleId.Length > 0)
            _schedules.Submitted(inserted, now);
        if (parents.Length == 0)
            return inserted;
        _dependencies.Inserted(inserted, parents);
        return _table.Find(task.Id)!;
    }

    TaskRecord? IScheduledTasks.Find(TaskId id) => _table.Find(id);

    void IScheduledTasks.Insert(NewTask task, DateTimeOffset now) => InsertNew(task, start: null, now);

    void IScheduledTasks.Cancel(TaskId id, DateTimeOffset now) => Cancel(new CancelTask(id, "overlap", Cancellation.Scheduler), now);

    private bool MakeRoom(NewTask newcomer, DateTimeOffset now)
    {
        if (_table.OldestNeverStarted(newcomer.Id.Namespace, newcomer.Spec.Queue, newcomer.Spec.Priority) is not { } oldest)
            return false;
        Write(oldest, TaskTransitions.Cancel(oldest, new Cancellation("displaced", newcomer.SubmittedBy, now), NextStamp(now)));
        return true;
    }

    private CommandOutcome Start(StartTask start, DateTimeOffset now) =>
        _table.Find(start.Id) is { IsReady: true } ready
            ? new CommandOutcome(Verdict.Done, Write(ready, TaskTransitions.Start(ready, start.Start, NextStamp(now))))
            : new CommandOutcome(Verdict.Refused);

    private CommandOutcome Leave(LeaveRunning leave)
    {
        if (Running(leave.Id, leave.Lease.Claim) is not { } running)
            return new CommandOutcome(Verdict.Refused);
        _table.Write(running, TaskTransitions.Leave(running, leave.Lease.Nonce, leave.Until));
        return new CommandOutcome(Verdict.Done, running);
    }

    private CommandOutcome Declare(DeclareKinds declare)
    {
        foreach (DeclaredKind kind in declare.Kinds)
            _table.AddKind(kind);
        return new CommandOutcome(Verdict.Done);
    }

    private CommandOutcome Change(ChangeSettings command)
    {
        foreach (SettingChange change in command.Changes)
            _table.WriteSetting(change);
        return new CommandOutcome(Verdict.Done);
    }

    private CommandOutcome Append(AppendLog append)
    {
        if (Running(append.Id, append.Claim) is not { } running)
            return new CommandOutcome(Verdict.Refused);
        TaskLog.Append(_table, running, append.Piece);
        _logged.Add(new TaskChange(ChangeType.Logged, running, running.Revision, running.State));
        return new CommandOutcome(Verdict.Done, running);
    }

    private CommandOutcome End(EndAttempt end, DateTimeOffset now)
    {
        if (Running(end.Id, end.Claim) is not { } running)
            return new CommandOutcome(Verdict.Refused);
        TaskLog.Append(_table, running, end.LastPiece);
        return new CommandOutcome(Verdict.Done, Write(running, TaskTransitions.End(running, end.Ending, NextStamp(now), end.Nonce)));
    }

    private TaskRecord? Running(TaskId id, long claim) => _table.Find(id) is { State: TaskState.Running } task && task.Claim == claim ? task : null;

    private CommandOutcome Cancel(CancelTask cancel, DateTimeOffset now)
    {
        if (_table.Find(cancel.Id) is not { } task)
            return new CommandOutcome(Verdict.NotFound);
        if (cancel.OnlyWaiting && !task.State.IsWaiting())
            return new CommandOutcome(Verdict.Refused, task);
        return task.State.IsFinal() || task.Cancellation is not null
            ? new CommandOutcome(Verdict.Existing, task)
            : new CommandOutcome(Verdict.Done, Write(task, TaskTransitions.Cancel(task, new Cancellation(cancel.Reason, cancel.By, now), NextStamp(now))));
    }

    private CommandOutcome Retry(RetryTask retry, DateTimeOffset now)
    {
        if (_table.Find(retry.Id) is not { } task)
            return new CommandOutcome(Verdict.NotFound);
        if (TaskTransitions.CanRetry(task) && _table.HolderOf(task.Id.Namespace, task.Spec) is { } holder)
            return new CommandOutcome(Verdict.KeyHeld, holder);
        return TaskTransitions.CanRetry(task)
            ? new CommandOutcome(Verdict.Done, Write(task, Join(TaskTransitions.Retry(task, NextStamp(now)))))
            : new CommandOutcome(Verdict.Refused, task);
    }

    private CommandOutcome Delete(DeleteTask delete)
    {
        if (_table.Find(delete.Id) is not { } task)
            return new CommandOutcome(Verdict.NotFound);
        if (!task.State.IsFinal())
            return new CommandOutcome(Verdict.Refused, task);
        if (task.Dependants > 0)
            return new CommandOutcome(Verdict.Awaited, task);
        Remove(task, ChangeType.Deleted);
        return new CommandOutcome(Verdict.Done, task);
    }

    private CommandOutcome Wake(WakeTasks wake, DateTimeOffset now)
    {
        foreach (TaskRecord due in _table.DueToWake(now, wake.Max))
        {
            // One that was woken before it may have left its line and made this one the first.
            TaskRecord task = _table.Find(due.Id)!;
            if (task.State.IsFinal())
                Remove(task, ChangeType.Pruned);
            else
                Write(task, Join(TaskTransitions.Wake(task, NextStamp(now)), task));
        }

        return new CommandOutcome(Verdict.Done);
    }

    private CommandOutcome Prune(IReadOnlyList<TaskRecord> tasks)
    {
        foreach (TaskRecord task in tasks)
            Remove(task, ChangeType.Pruned);
        return new CommandOutcome(tasks.Count > 0 ? Verdict.Done : Verdict.NotFound);
    }

    /// <summary>Who joins a line in which somebody stands is blocked.</summary>
    private TaskRecord Join(TaskRecord task, TaskRecord? before = null) =>
        task.Line != 0 && before is not { Line: not 0 } && _table.FirstInLine(task.Id.Namespace, task.Spec.SerialKey) is not null ? task with { Blocked = true } : task;

    private TaskRecord Write(TaskRecord? before, TaskRecord after)
    {
        _table.Write(before, after);
        _changes.Add(new TaskChange(ChangeType.Changed, after, after.Revision, before?.State));
        bool leftItsLine = before is { Line: not 0 } && after.Line == 0;
        if (leftItsLine && _table.FirstInLine(after.Id.Namespace, after.Spec.SerialKey) is { Blocked: true } next)
            Unblock(next);
        if (after.Spec.ScheduleId.Length > 0 && after.State.IsFinal())
            _schedules.Ended(after, after.UpdatedAt);
        if (after.State.IsFinal())
            _dependencies.Ended(after);
        return after;
    }

    private void Unblock(TaskRecord next)
    {
        TaskRecord first = next with { Blocked = false };
        _table.Write(next, first);
        _unblocked.Add(first);
    }

    private void Remove(TaskRecord task, ChangeType type)
    {
        long revision = _table.NextRevision();
        _table.Remove(task, revision);
        _changes.Add(new TaskChange(type, task, revision, task.State));
    }

    private Stamp NextStamp(DateTimeOffset now) => new(_table.NextRevision(), now);

    private static bool SameHash(byte[]? one, byte[]? other) => one.AsSpan().SequenceEqual(other);
}
