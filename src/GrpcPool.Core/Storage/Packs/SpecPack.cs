using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Packs;

/// <summary>What of a task never changes and no query asks for. A payload above <see cref="InlineBytesMax"/> has a table of its own.</summary>
internal static class SpecPack
{
    public const int InlineBytesMax = 1024;

    private const int Form = 1;

    public static bool IsApart(ReadOnlyMemory<byte> payload) => payload.Length > InlineBytesMax;

    public static void Write(PackWriter pack, TaskRecord task)
    {
        TaskSpec spec = task.Spec;
        pack.Number(Form);
        pack.Signed(Times.ToTicks(task.SubmittedAt));
        pack.Text(task.SubmittedBy);
        pack.Bytes(task.SpecHash);
        WriteFields(pack, spec);
        bool apart = IsApart(spec.Payload);
        pack.Number(apart ? 1 : 0);
        if (!apart)
            pack.Bytes(spec.Payload.Span);

        // Rows of former versions end here or after one of these, as those of most tasks do.
        int parts = spec.After.Count > 0 ? 4 : spec.UniqueKey.Length > 0 ? 3 : spec.Group.Length > 0 ? 2 : spec.ScheduleId.Length > 0 ? 1 : 0;
        if (parts > 0)
            pack.Text(spec.ScheduleId);
        if (parts > 1)
            pack.Text(spec.Group);
        if (parts > 2)
            WriteUnique(pack, spec);
        if (parts > 3)
            WriteAfter(pack, spec);
    }

    /// <summary>Writes what a schedule submits, without what has columns in the row of a task.</summary>
    public static void WriteTemplate(PackWriter pack, TaskSpec spec)
    {
        WriteFields(pack, spec);
        pack.Bytes(spec.Payload.Span);
    }

    /// <summary>Reads what a schedule submits.</summary>
    public static TaskSpec ReadTemplate(ref PackReader pack, TaskSpec columns)
    {
        TaskSpec spec = ReadFields(ref pack, columns);
        return spec with { Payload = pack.Bytes().ToArray() };
    }

    /// <summary>Reads a task with its spec.</summary>
    /// <param name="pack">What was written, and nothing after it.</param>
    /// <param name="columns">The task as far as it is known.</param>
    /// <param name="readPayload">Reads a payload that is kept apart.</param>
    public static TaskRecord Read(ref PackReader pack, TaskRecord columns, Func<long, byte[]> readPayload)
    {
        pack.Form(Form);
        DateTimeOffset submittedAt = pack.Time();
        string submittedBy = pack.Text();
        ReadOnlySpan<byte> hash = pack.Bytes();
        TaskSpec spec = ReadFields(ref pack, columns.Spec);
        spec = spec with
        {
            Payload = pack.Number() == 0 ? pack.Bytes().ToArray() : readPayload(columns.Sequence),
            ScheduleId = pack.AtEnd ? "" : pack.Text(),
            Group = pack.AtEnd ? "" : pack.Text(),
            UniqueKey = pack.AtEnd ? "" : pack.Text(),
            OnConflict = pack.AtEnd ? ConflictPolicy.UseExisting : (ConflictPolicy)pack.Number(),
            After = pack.AtEnd ? [] : ReadAfter(ref pack),
            AfterPolicy = pack.AtEnd ? AfterPolicy.Cancel : (AfterPolicy)pack.Number(),
        };
        return columns with { Spec = spec, SubmittedAt = submittedAt, SubmittedBy = submittedBy, SpecHash = hash.IsEmpty ? null : hash.ToArray() };
    }

    private static void WriteUnique(PackWriter pack, TaskSpec spec)
    {
        pack.Text(spec.UniqueKey);
        pack.Number((long)spec.OnConflict);
    }

    private static void WriteAfter(PackWriter pack, TaskSpec spec)
    {
        pack.Number(spec.After.Count);
        foreach (string id in spec.After)
            pack.Text(id);
        pack.Number((long)spec.AfterPolicy);
    }

    private static string[] ReadAfter(ref PackReader pack)
    {
        string[] after = new string[pack.Count()];
        for (int i = 0; i < after.Length; i++)
            after[i] = pack.Text();
        return after;
    }

    private static void WriteFields(PackWriter pack, TaskSpec spec)
    {
        pack.Text(spec.ContentType);
        pack.Text(spec.ParentId);
        WriteSpan(pack, spec.StartTimeout);
        WriteSpan(pack, spec.RunTimeout);
        WriteSpan(pack, spec.TotalTimeout);
        pack.Number(spec.Retention.Ticks);
        Write(pack, spec.Retry);
        pack.Pairs(spec.Labels);
        pack.Pairs(spec.Headers);
    }

    private static TaskSpec ReadFields(ref PackReader pack, TaskSpec columns)
    {
        return columns with
        {
            ContentType = pack.Text(),
            ParentId = pack.Text(),
            StartTimeout = ReadSpan(ref pack),
            RunTimeout = ReadSpan(ref pack),
            TotalTimeout = ReadSpan(ref pack),
            Retention = new TimeSpan(pack.Number()),
            Retry = ReadRetry(ref pack),
            Labels = pack.Pairs(),
            Headers = pack.Pairs(),
        };
    }

    private static void Write(PackWriter pack, RetryPolicy retry)
    {
        pack.Number(retry.MaxAttempts);
        pack.Number(retry.InitialBackoff.Ticks);
        pack.Real(retry.BackoffMultiplier);
        pack.Number(retry.MaxBackoff.Ticks);
        pack.Real(retry.Jitter);
        pack.Number(retry.MaxLosses);
    }

    private static RetryPolicy ReadRetry(ref PackReader pack) => new()
    {
        MaxAttempts = pack.Whole(),
        InitialBackoff = new TimeSpan(pack.Number()),
        BackoffMultiplier = pack.Real(),
        MaxBackoff = new TimeSpan(pack.Number()),
        Jitter = pack.Real(),
        MaxLosses = pack.Whole(),
    };

    private static void WriteSpan(PackWriter pack, TimeSpan? span) => pack.Number(span is { } value ? value.Ticks + 1 : 0);

    private static TimeSpan? ReadSpan(ref PackReader pack) => pack.Number() is > 0 and var value ? new TimeSpan(value - 1) : null;
}
