using System.Diagnostics;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Schedules;

/// <summary>What a schedule's interpreter does to tasks, within the same transaction.</summary>
internal interface IScheduledTasks
{
    TaskRecord? Find(TaskId id);

    /// <summary>Inserts a task that is due now.</summary>
    void Insert(NewTask task, DateTimeOffset now);

    void Cancel(TaskId id, DateTimeOffset now);
}

/// <summary>What each command means for schedules, in terms of rows. A firing and its recording are one transaction, so that a crash can neither double nor lose it.</summary>
internal sealed class ScheduleInterpreter(IScheduleTable table, IScheduledTasks tasks)
{
    /// <summary>How many tasks of a schedule are cancelled for an overlap.</summary>
    private const int CancelMax = 1000;

    public CommandOutcome Execute(ScheduleCommand command, DateTimeOffset now) => command switch
    {
        CreateSchedule create => Create(create, now),
        UpdateSchedule update => Update(update, now),
        PauseSchedule pause => Pause(pause, now),
        DeleteSchedule delete => Delete(delete.Id),
        ReconcileSchedules reconcile => Reconcile(reconcile.Named, now),
        FireSchedules fire => Fire(fire, now),
        RewindSchedules => Rewind(now),
        _ => throw new UnreachableException(),
    };

    /// <summary>A task was inserted by somebody's wish.</summary>
    public void Submitted(TaskRecord task, DateTimeOffset now) =>
        Change(ScheduleOf(task), schedule => ScheduleChanges.Submitted(schedule, task.Id.Value, now));

    /// <summary>A task has ended.</summary>
    public void Ended(TaskRecord task, DateTimeOffset now)
    {
        ScheduleId id = ScheduleOf(task);
        if (FailureOf(task) is { } failure)
            Change(id, schedule => schedule with { LastFailure = new ScheduleFailure(task.Id.Value, failure, now) });
        if (Find(id) is not { } ended || IsBusy(id))
            return;
        table.Write(ScheduleChanges.Idle(ended with { HeldBack = null }, now));
        if (ended.HeldBack is { } due && !ended.Paused)
            Submit(ended, due, now);
    }

    private CommandOutcome Create(CreateSchedule create, DateTimeOffset now)
    {
        ScheduleRecord? existing = table.Find(create.Id);
        if (existing is { Deleted: false })
            return new CommandOutcome(SpecHash.Of(existing.Spec).SequenceEqual(SpecHash.Of(create.Spec)) ? Verdict.Existing : Verdict.Conflict, Schedule: existing);
        if (existing is null && table.Count >= create.Max)
            return new CommandOutcome(Verdict.Full);
        return Written(ScheduleChanges.Create(create.Id, create.Spec, create.Paused, now) with { SubmittedBy = create.By, SettingsHash = existing?.SettingsHash });
    }

    private CommandOutcome Update(UpdateSchedule update, DateTimeOffset now)
    {
        if (Find(update.Id) is not { } schedule)
            return new CommandOutcome(Verdict.NotFound);
        return schedule.Version == update.Version
            ? Written(ScheduleChanges.Update(schedule, update.Spec, update.Paused, IsBusy(update.Id), now) with { SubmittedBy = update.By })
            : new CommandOutcome(Verdict.Conflict, Schedule: schedule);
    }

    private CommandOutcome Pause(PauseSchedule pause, DateTimeOffset now)
    {
        if (Find(pause.Id) is not { } schedule)
            return new CommandOutcome(Verdict.NotFound);
        return Written(pause.Paused ? ScheduleChanges.Pause(schedule, now) : ScheduleChanges.Resume(schedule, IsBusy(pause.Id), now));
    }

    private CommandOutcome Delete(ScheduleId id)
    {
        if (Find(id) is not { } schedule)
            return new CommandOutcome(Verdict.NotFound);
        if (schedule.SettingsHash is null)
            table.Remove(id);
        else
            table.Write(schedule with { Deleted = true, DueAt = null, HeldBack = null });
        return new CommandOutcome(Verdict.Done, Schedule: schedule);
    }

    private CommandOutcome Reconcile(IReadOnlyDictionary<ScheduleId, ScheduleSpec> named, DateTimeOffset now)
    {
        foreach (ScheduleId id in table.FromSettings())
        {
            if (!named.ContainsKey(id))
                table.Remove(id);
        }

        foreach ((ScheduleId id, ScheduleSpec spec) in named)
        {
            byte[] hash = SpecHash.Of(spec);
            ScheduleRecord? known = table.Find(id);
            if (known?.SettingsHash is { } heard && heard.SequenceEqual(hash))
                continue;
            ScheduleRecord schedule = known is { Deleted: false } ? ScheduleChanges.Update(known, spec, known.Paused, IsBusy(id), now) : ScheduleChanges.Create(id, spec, paused: false, now);
            table.Write(schedule with { SubmittedBy = "", SettingsHash = hash });
        }

        return new CommandOutcome(Verdict.Done);
    }

    private CommandOutcome Rewind(DateTimeOffset now)
    {
        foreach (ScheduleId id in table.ToRewind(now))
            Change(id, schedule => ScheduleChanges.Rewind(schedule, now));
        return new CommandOutcome(Verdict.Done);
    }

    private CommandOutcome Fire(FireSchedules fire, DateTimeOffset now)
    {
        var taken = new Dictionary<QueueId, long>();
        int left = fire.Max;
        while (left > 0 && table.Due(now, left) is { Count: > 0 } due)
        {
            left -= due.Count;
            foreach (ScheduleId id in due)
                Fire(id, queue => fire.Room(queue) - taken.GetValueOrDefault(queue) > 0, queue => taken[queue] = taken.GetValueOrDefault(queue) + 1, now);
        }

        return new CommandOutcome(Verdict.Done);
    }

    private void Fire(ScheduleId id, Func<QueueId, bool> hasRoom, Action<QueueId> take, DateTimeOffset now)
    {
        ScheduleRecord schedule = Change(id, due => ScheduleChanges.SkipMissed(due, now))!;
        if (schedule.DueAt is not { } due || schedule.WakeAt > now)
            return;
        schedule = Change(id, ScheduleChanges.Advance)!;
        var queue = new QueueId(id.Namespace, schedule.Spec.Task.Queue);
        if (!MayOverlap(schedule, due, now))
            return;
        if (!hasRoom(queue))
            Change(id, full => ScheduleChanges.Skip(full, $"the queue '{queue.Name}' or the pool was full", now));
        else if (Submit(schedule, due, now))
            take(queue);
        if (!IsBusy(id))
            Change(id, idle => ScheduleChanges.Idle(idle, now));
    }

    /// <summary>Whether a due time fires though tasks of its schedule may not have ended.</summary>
    private bool MayOverlap(ScheduleRecord schedule, DateTimeOffset due, DateTimeOffset now)
    {
        if (schedule.Spec.Overlap == OverlapPolicy.Allow || !IsBusy(schedule.Id))
            return true;
        if (schedule.Spec.Overlap == OverlapPolicy.CancelRunning)
        {
            foreach (TaskId task in table.Unfinished(schedule.Id, CancelMax))
                tasks.Cancel(task, now);
            return true;
        }

        bool held = schedule.Spec.Overlap == OverlapPolicy.QueueOne && schedule.HeldBack is null;
        Change(schedule.Id, busy => held ? busy with { HeldBack = due } : ScheduleChanges.Skip(busy, reason: null, now));
        return false;
    }

    /// <summary>Submits the task of a due time. False where there is one already, or somebody else's has its id.</summary>
    private bool Submit(ScheduleRecord schedule, DateTimeOffset due, DateTimeOffset now)
    {
        TaskId id = schedule.Id.TaskFor(due);
        if (tasks.Find(id) is { } existing)
        {
            if (existing.Spec.ScheduleId != schedule.Id.Value)
                Change(schedule.Id, taken => ScheduleChanges.Skip(taken, $"the id '{id.Value}' belonged to a task of somebody else", now));
            return false;
        }

        tasks.Insert(schedule.NewTask(id, schedule.SubmittedBy), now);
        return true;
    }

    private ScheduleRecord? Find(ScheduleId id) => table.Find(id) is { Deleted: false } schedule ? schedule : null;

    private ScheduleRecord? Change(ScheduleId id, Func<ScheduleRecord, ScheduleRecord> change)
    {
        if (Find(id) is not { } schedule)
            return null;
        ScheduleRecord changed = change(schedule);
        if (changed != schedule)
            table.Write(changed);
        return changed;
    }

    private CommandOutcome Written(ScheduleRecord schedule)
    {
        table.Write(schedule);
        return new CommandOutcome(Verdict.Done, Schedule: schedule);
    }

    private bool IsBusy(ScheduleId id) => table.Unfinished(id, 1).Count > 0;

    private static ScheduleId ScheduleOf(TaskRecord task) => new(task.Id.Namespace, task.Spec.ScheduleId);

    private static string? FailureOf(TaskRecord task) => task.State switch
    {
        TaskState.Failed => task.Failure?.Message ?? "failed",
        TaskState.Expired => "it did not start within its start_timeout",
        _ => null,
    };
}
