using GrpcPool.Core.Schedules;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Storage.Packs;

namespace GrpcPool.Storage.Sqlite.Rows;

/// <summary>A schedule without its id.</summary>
internal static class SchedulePack
{
    private const int Form = 1;

    public static void Write(PackWriter pack, ScheduleRecord schedule)
    {
        pack.Number(Form);
        Write(pack, schedule.Spec);
        pack.Number(schedule.Version);
        pack.Signed(Times.ToTicks(schedule.CreatedAt));
        pack.Signed(Times.ToTicks(schedule.UpdatedAt));
        pack.Signed(Times.ToTicks(schedule.Since));
        pack.Number((schedule.Paused ? 1 : 0) + (schedule.Deleted ? 2 : 0));
        WriteTime(pack, schedule.DueAt);
        WriteTime(pack, schedule.HeldBack);
        Write(pack, schedule.Unfired);
        WriteTime(pack, schedule.LastRunAt);
        pack.Text(schedule.LastTaskId);
        pack.Number(schedule.Runs);
        pack.Number(schedule.Skipped);
        pack.Number(schedule.Missed);
        Write(pack, schedule.LastFailure);
        pack.Bytes(schedule.SettingsHash);

        // What came later, as far as there is any of it.
        if (schedule.Spec.Task.Group.Length + schedule.SubmittedBy.Length > 0)
            pack.Text(schedule.Spec.Task.Group);
        if (schedule.SubmittedBy.Length > 0)
            pack.Text(schedule.SubmittedBy);
    }

    public static ScheduleRecord Read(ReadOnlySpan<byte> data, ScheduleId id)
    {
        var pack = new PackReader(data);
        pack.Form(Form);
        ScheduleSpec spec = ReadSpec(ref pack);
        var schedule = new ScheduleRecord
        {
            Id = id,
            Spec = spec,
            Version = pack.Number(),
            CreatedAt = pack.Time(),
            UpdatedAt = pack.Time(),
            Since = pack.Time(),
        };
        long flags = pack.Number();
        schedule = schedule with
        {
            Paused = (flags & 1) != 0,
            Deleted = (flags & 2) != 0,
            DueAt = ReadTime(ref pack),
            HeldBack = ReadTime(ref pack),
            Unfired = ReadUnfired(ref pack),
            LastRunAt = ReadTime(ref pack),
            LastTaskId = pack.Text(),
            Runs = pack.Number(),
            Skipped = pack.Number(),
            Missed = pack.Number(),
            LastFailure = ReadFailure(ref pack),
        };
        ReadOnlySpan<byte> hash = pack.Bytes();
        return schedule with
        {
            SettingsHash = hash.IsEmpty ? null : hash.ToArray(),
            Spec = pack.AtEnd ? spec : spec with { Task = spec.Task with { Group = pack.Text() } },
            SubmittedBy = pack.AtEnd ? "" : pack.Text(),
        };
    }

    private static void Write(PackWriter pack, ScheduleSpec spec)
    {
        (int form, string text, string zone, long ticks) = spec.Timetable switch
        {
            Timetable.Cron cron => (0, cron.Expression, cron.TimeZone, 0),
            Timetable.FixedRate rate => (1, "", "", rate.Period.Ticks),
            Timetable.FixedDelay delay => (2, "", "", delay.Pause.Ticks),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        pack.Number(form);
        pack.Text(text);
        pack.Text(zone);
        pack.Number(ticks);
        WriteTime(pack, spec.StartAt);
        WriteTime(pack, spec.EndAt);
        pack.Number(spec.MaxRuns);
        pack.Number(spec.Jitter.Ticks);
        pack.Number((long)spec.Overlap);
        pack.Number((long)spec.CatchUp);
        pack.Text(spec.Task.Kind);
        pack.Text(spec.Task.Queue);
        pack.Signed(spec.Task.Priority);
        pack.Number(spec.Task.Slots);
        pack.Text(spec.Task.SerialKey);
        SpecPack.WriteTemplate(pack, spec.Task);
    }

    private static ScheduleSpec ReadSpec(ref PackReader pack)
    {
        long form = pack.Number();
        string text = pack.Text();
        string zone = pack.Text();
        var span = new TimeSpan(pack.Number());
        return new ScheduleSpec
        {
            Timetable = form switch
            {
                0 => new Timetable.Cron(text, zone),
                1 => new Timetable.FixedRate(span),
                2 => new Timetable.FixedDelay(span),
                _ => throw new StorageException(StorageFault.Corrupt, "a schedule's timetable is damaged in the database"),
            },
            StartAt = ReadTime(ref pack),
            EndAt = ReadTime(ref pack),
            MaxRuns = pack.Number(),
            Jitter = new TimeSpan(pack.Number()),
            Overlap = (OverlapPolicy)pack.Number(),
            CatchUp = (CatchUpPolicy)pack.Number(),
            Task = SpecPack.ReadTemplate(ref pack, new TaskColumns
            {
                Kind = pack.Text(),
                Queue = pack.Text(),
                Priority = (int)pack.Signed(),
                Slots = pack.Whole(),
                SerialKey = pack.Text(),
            }),
        };
    }

    private static void Write(PackWriter pack, Unfired unfired)
    {
        WriteTime(pack, unfired.Frontier);
        pack.Number(unfired.Gaps.Length);
        foreach (Gap gap in unfired.Gaps)
        {
            WriteTime(pack, gap.From);
            WriteTime(pack, gap.To);
        }
    }

    private static Unfired ReadUnfired(ref PackReader pack)
    {
        DateTimeOffset? frontier = ReadTime(ref pack);
        var gaps = new Gap[pack.Count()];
        for (int i = 0; i < gaps.Length; i++)
            gaps[i] = new Gap(ReadTime(ref pack).GetValueOrDefault(), ReadTime(ref pack).GetValueOrDefault());
        return new Unfired(frontier, [.. gaps]);
    }

    private static void Write(PackWriter pack, ScheduleFailure? failure)
    {
        WriteTime(pack, failure?.At);
        if (failure is null)
            return;
        pack.Text(failure.TaskId);
        pack.Text(failure.Message);
    }

    private static ScheduleFailure? ReadFailure(ref PackReader pack)
    {
        if (ReadTime(ref pack) is not { } at)
            return null;
        string task = pack.Text();
        return new ScheduleFailure(task, pack.Text(), at);
    }

    private static void WriteTime(PackWriter pack, DateTimeOffset? time) => pack.Number(time is { } value ? value.UtcTicks + 1 : 0);

    private static DateTimeOffset? ReadTime(ref PackReader pack) => pack.Number() switch
    {
        0 => null,
        > 0 and var ticks when ticks - 1 <= DateTimeOffset.MaxValue.Ticks => new DateTimeOffset(ticks - 1, TimeSpan.Zero),
        _ => throw new StorageException(StorageFault.Corrupt, "a schedule's time is damaged in the database"),
    };
}
