using System.Diagnostics;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage;

/// <summary>The few things that a store does to single rows, within a transaction.</summary>
internal interface ITaskTable
{
    /// <summary>The next revision; none is given twice.</summary>
    long NextRevision();

    TaskRecord? Find(TaskId id);

    /// <summary>Writes a task; <paramref name="before"/> is null for a new one.</summary>
    void Write(TaskRecord? before, TaskRecord after);

    /// <summary>Removes a task with its log; the revision at which it goes belongs to the history.</summary>
    void Remove(TaskRecord task, long revision);

    /// <summary>The first of a serial key's line; null where nobody stands in it.</summary>
    TaskRecord? FirstInLine(string @namespace, string serialKey);

    /// <summary>The oldest queued task of a queue that never started, with at most this priority.</summary>
    TaskRecord? OldestNeverStarted(string @namespace, string queue, int priorityMax);

    /// <summary>Tasks whose <see cref="TaskRecord.WakeAt"/> has come, the earliest first.</summary>
    IReadOnlyList<TaskRecord> DueToWake(DateTimeOffset now, int max);

    /// <summary>The oldest finished tasks above a number.</summary>
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
internal sealed class CommandInterpreter(ITaskTable table)
{
    private readonly List<CommandOutcome> _outcomes = [];
    private readonly List<TaskChange> _changes = [];
    private readonly List<TaskRecord> _unblocked = [];
    private readonly List<TaskChange> _logged = [];

    public static CommitResult Execute(ITaskTable table, IReadOnlyList<TaskCommand> commands, DateTimeOffset now, Func<(long Revision, DateTimeOffset? NextWake)> end)
    {
        var interpreter = new CommandInterpreter(table);
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
        PruneTasks prune => Prune(table.FinishedAbove(prune.Keep, prune.Max)),
        _ => throw new UnreachableException(),
    };

    private CommandOutcome Insert(InsertTasks insert, DateTimeOffset now)
    {
        if (insert.Atomic && Conflicts(insert.Items) is { } conflicts)
            return new CommandOutcome(Verdict.Aborted, Items: conflicts);
        var outcomes = new CommandOutcome[insert.Items.Count];
        for (int i = 0; i < outcomes.Length; i++)
            outcomes[i] = Insert(insert.Items[i], now);
        return new CommandOutcome(Verdict.Done, Items: outcomes);
    }

    private CommandOutcome[]? Conflicts(IReadOnlyList<Insertion> items)
    {
        var hashes = new Dictionary<TaskId, byte[]?>(items.Count);
        var conflicts = new bool[items.Count];
        for (int i = 0; i < items.Count; i++)
        {
            NewTask task = items[i].Task;
            byte[]? hash = table.Find(task.Id) is { } existing ? existing.SpecHash ?? [] : hashes.GetValueOrDefault(task.Id, task.SpecHash);
            conflicts[i] = !SameHash(hash, task.SpecHash);
            hashes[task.Id] = hash;
        }

        return conflicts.Contains(true) ? [.. conflicts.Select(conflict => new CommandOutcome(conflict ? Verdict.Conflict : Verdict.Aborted))] : null;
    }

    private CommandOutcome Insert(Insertion item, DateTimeOffset now)
    {
        NewTask task = item.Task;

        // An id that the server made is new, and need not be looked for.
        if (task.SpecHash is not null && table.Find(task.Id) is { } existing)
            return new CommandOutcome(SameHash(existing.SpecHash ?? [], task.SpecHash) ? Verdict.Existing : Verdict.Conflict, existing);
        if (item.Mode == InsertMode.Displace && !MakeRoom(task, now))
            return new CommandOutcome(Verdict.Full);
        bool lineTaken = task.Spec.SerialKey.Length > 0 && table.FirstInLine(task.Id.Namespace, task.Spec.SerialKey) is not null;
        TaskRecord inserted = TaskTransitions.Submit(
            task.Id, task.Spec, task.SpecHash, task.SubmittedBy, task.RunAt, NextStamp(now), lineTaken, item.Mode == InsertMode.Start ? item.Start : null);
        return new CommandOutcome(Verdict.Done, Write(null, inserted));
    }

    private bool MakeRoom(NewTask newcomer, DateTimeOffset now)
    {
        if (table.OldestNeverStarted(newcomer.Id.Namespace, newcomer.Spec.Queue, newcomer.Spec.Priority) is not { } oldest)
            return false;
        Write(oldest, TaskTransitions.Cancel(oldest, new Cancellation("displaced", newcomer.SubmittedBy, now), NextStamp(now)));
        return true;
    }

    private CommandOutcome Start(StartTask start, DateTimeOffset now) =>
        table.Find(start.Id) is { IsReady: true } ready
            ? new CommandOutcome(Verdict.Done, Write(ready, TaskTransitions.Start(ready, start.Start, NextStamp(now))))
            : new CommandOutcome(Verdict.Refused);

    private CommandOutcome Leave(LeaveRunning leave)
    {
        if (Running(leave.Id, leave.Lease.Claim) is not { } running)
            return new CommandOutcome(Verdict.Refused);
        table.Write(running, TaskTransitions.Leave(running, leave.Lease.Nonce, leave.Until));
        return new CommandOutcome(Verdict.Done, running);
    }

    private CommandOutcome Declare(DeclareKinds declare)
    {
        foreach (DeclaredKind kind in declare.Kinds)
            table.AddKind(kind);
        return new CommandOutcome(Verdict.Done);
    }

    private CommandOutcome Change(ChangeSettings command)
    {
        foreach (SettingChange change in command.Changes)
            table.WriteSetting(change);
        return new CommandOutcome(Verdict.Done);
    }

    private CommandOutcome Append(AppendLog append)
    {
        if (Running(append.Id, append.Claim) is not { } running)
            return new CommandOutcome(Verdict.Refused);
        TaskLog.Append(table, running, append.Piece);
        _logged.Add(new TaskChange(ChangeType.Logged, running, running.Revision, running.State));
        return new CommandOutcome(Verdict.Done, running);
    }

    private CommandOutcome End(EndAttempt end, DateTimeOffset now)
    {
        if (Running(end.Id, end.Claim) is not { } running)
            return new CommandOutcome(Verdict.Refused);
        TaskLog.Append(table, running, end.LastPiece);
        return new CommandOutcome(Verdict.Done, Write(running, TaskTransitions.End(running, end.Ending, NextStamp(now), end.Nonce)));
    }

    private TaskRecord? Running(TaskId id, long claim) => table.Find(id) is { State: TaskState.Running } task && task.Claim == claim ? task : null;

    private CommandOutcome Cancel(CancelTask cancel, DateTimeOffset now)
    {
        if (table.Find(cancel.Id) is not { } task)
            return new CommandOutcome(Verdict.NotFound);
        if (cancel.OnlyWaiting && !task.State.IsWaiting())
            return new CommandOutcome(Verdict.Refused, task);
        return task.State.IsFinal() || task.Cancellation is not null
            ? new CommandOutcome(Verdict.Existing, task)
            : new CommandOutcome(Verdict.Done, Write(task, TaskTransitions.Cancel(task, new Cancellation(cancel.Reason, cancel.By, now), NextStamp(now))));
    }

    private CommandOutcome Retry(RetryTask retry, DateTimeOffset now)
    {
        if (table.Find(retry.Id) is not { } task)
            return new CommandOutcome(Verdict.NotFound);
        return TaskTransitions.CanRetry(task)
            ? new CommandOutcome(Verdict.Done, Write(task, Join(TaskTransitions.Retry(task, NextStamp(now)))))
            : new CommandOutcome(Verdict.Refused, task);
    }

    private CommandOutcome Delete(DeleteTask delete)
    {
        if (table.Find(delete.Id) is not { } task)
            return new CommandOutcome(Verdict.NotFound);
        if (!task.State.IsFinal())
            return new CommandOutcome(Verdict.Refused, task);
        Remove(task, ChangeType.Deleted);
        return new CommandOutcome(Verdict.Done, task);
    }

    private CommandOutcome Wake(WakeTasks wake, DateTimeOffset now)
    {
        foreach (TaskRecord due in table.DueToWake(now, wake.Max))
        {
            // One that was woken before it may have left its line and made this one the first.
            TaskRecord task = table.Find(due.Id)!;
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
        return new CommandOutcome(Verdict.Done);
    }

    /// <summary>Who joins a line in which somebody stands is blocked.</summary>
    private TaskRecord Join(TaskRecord task, TaskRecord? before = null) =>
        task.Line != 0 && before is not { Line: not 0 } && table.FirstInLine(task.Id.Namespace, task.Spec.SerialKey) is not null ? task with { Blocked = true } : task;

    private TaskRecord Write(TaskRecord? before, TaskRecord after)
    {
        table.Write(before, after);
        _changes.Add(new TaskChange(ChangeType.Changed, after, after.Revision, before?.State));
        bool leftItsLine = before is { Line: not 0 } && after.Line == 0;
        if (leftItsLine && table.FirstInLine(after.Id.Namespace, after.Spec.SerialKey) is { Blocked: true } next)
            Unblock(next);
        return after;
    }

    private void Unblock(TaskRecord next)
    {
        TaskRecord first = next with { Blocked = false };
        table.Write(next, first);
        _unblocked.Add(first);
    }

    private void Remove(TaskRecord task, ChangeType type)
    {
        long revision = table.NextRevision();
        table.Remove(task, revision);
        _changes.Add(new TaskChange(type, task, revision, task.State));
    }

    private Stamp NextStamp(DateTimeOffset now) => new(table.NextRevision(), now);

    private static bool SameHash(byte[]? one, byte[]? other) => one.AsSpan().SequenceEqual(other);
}
