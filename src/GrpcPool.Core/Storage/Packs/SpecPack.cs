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
    public static TaskSpec ReadTemplate(ref PackReader pack, in TaskColumns columns) => Read(ref pack, columns, readPayload: null);

    /// <summary>Begins to read what <see cref="Write(PackWriter, TaskRecord)"/> has written: who submitted it follows, then <see cref="ReadHash"/>, then <see cref="ReadSpec"/>.</summary>
    public static DateTimeOffset ReadSubmittedAt(ref PackReader pack)
    {
        pack.Form(Form);
        return pack.Time();
    }

    public static byte[]? ReadHash(ref PackReader pack)
    {
        ReadOnlySpan<byte> hash = pack.Bytes();
        return hash.IsEmpty ? null : hash.ToArray();
    }

    /// <summary>Reads the spec, after which there is nothing.</summary>
    /// <param name="pack">What is left.</param>
    /// <param name="columns">What stands beside it.</param>
    /// <param name="readPayload">Reads a payload that is kept apart.</param>
    public static TaskSpec ReadSpec(ref PackReader pack, in TaskColumns columns, Func<long, byte[]> readPayload)
    {
        TaskSpec spec = Read(ref pack, columns, readPayload);
        return pack.AtEnd ? spec : spec with
        {
            ScheduleId = pack.Text(),
            Group = pack.AtEnd ? "" : pack.Text(),
            UniqueKey = pack.AtEnd ? "" : pack.Text(),
            OnConflict = pack.AtEnd ? ConflictPolicy.UseExisting : (ConflictPolicy)pack.Number(),
            After = pack.AtEnd ? [] : ReadAfter(ref pack),
            AfterPolicy = pack.AtEnd ? AfterPolicy.Cancel : (AfterPolicy)pack.Number(),
        };
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

    /// <summary>Reads what most tasks have. A payload that may be kept apart has a mark before it.</summary>
    private static TaskSpec Read(ref PackReader pack, in TaskColumns columns, Func<long, byte[]>? readPayload) => new()
    {
        Kind = columns.Kind,
        Queue = columns.Queue,
        Priority = columns.Priority,
        Slots = columns.Slots,
        SerialKey = columns.SerialKey,
        ContentType = pack.Text(),
        ParentId = pack.Text(),
        StartTimeout = ReadSpan(ref pack),
        RunTimeout = ReadSpan(ref pack),
        TotalTimeout = ReadSpan(ref pack),
        Retention = new TimeSpan(pack.Number()),
        Retry = ReadRetry(ref pack),
        Labels = pack.Pairs(),
        Headers = pack.Pairs(),
        Payload = readPayload is not null && pack.Number() != 0 ? readPayload(columns.Sequence) : pack.Kept(),
    };

    private static void Write(PackWriter pack, RetryPolicy retry)
    {
        pack.Number(retry.MaxAttempts);
        pack.Number(retry.InitialBackoff.Ticks);
        pack.Real(retry.BackoffMultiplier);
        pack.Number(retry.MaxBackoff.Ticks);
        pack.Real(retry.Jitter);
        pack.Number(retry.MaxLosses);
    }

    /// <summary>Most tasks have the default, which they share.</summary>
    private static RetryPolicy ReadRetry(ref PackReader pack)
    {
        var read = new RetryPolicy
        {
            MaxAttempts = pack.Whole(),
            InitialBackoff = new TimeSpan(pack.Number()),
            BackoffMultiplier = pack.Real(),
            MaxBackoff = new TimeSpan(pack.Number()),
            Jitter = pack.Real(),
            MaxLosses = pack.Whole(),
        };
        return read == RetryPolicy.Default ? RetryPolicy.Default : read;
    }

    private static void WriteSpan(PackWriter pack, TimeSpan? span) => pack.Number(span is { } value ? value.Ticks + 1 : 0);

    private static TimeSpan? ReadSpan(ref PackReader pack) => pack.Number() is > 0 and var value ? new TimeSpan(value - 1) : null;
}
