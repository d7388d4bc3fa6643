using System.Collections.Immutable;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Workers;

namespace GrpcPool.Core.Storage.Packs;

/// <summary>What of a task changes and no query asks for. A result above <see cref="SpecPack.InlineBytesMax"/> has a table of its own.</summary>
internal static class LifePack
{
    private const int Form = 1;

    [Flags]
    private enum Parts
    {
        None = 0,
        DueAt = 1,
        StartedAt = 2,
        ExpiresAt = 4,
        Worker = 8,
        Cancellation = 16,
        Failure = 32,
        Progress = 64,
        Result = 128,
        ResultApart = 256,
        Attempts = 512,
        Lease = 1024,
        Awaits = 2048,
        Dependants = 4096,
    }

    public static bool IsApart(ReadOnlyMemory<byte> result) => result.Length > SpecPack.InlineBytesMax;

    public static void Write(PackWriter pack, TaskRecord task)
    {
        Parts parts = PartsOf(task);
        pack.Number(Form);
        pack.Number((long)parts);
        WriteTime(pack, task.UpdatedAt);
        pack.Number(task.Failures);
        if (task.DueAt is { } dueAt)
            WriteTime(pack, dueAt);
        if (task.StartedAt is { } startedAt)
            WriteTime(pack, startedAt);
        if (task.ExpiresAt is { } expiresAt)
            WriteTime(pack, expiresAt);
        if (task.Worker.Length > 0)
            pack.Text(task.Worker);
        if (task.Cancellation is { } cancellation)
            Write(pack, cancellation);
        if (task.Failure is { } failure)
            Write(pack, failure);
        if (task.Progress is { } progress)
            Write(pack, progress);
        if (parts.HasFlag(Parts.Result))
            pack.Text(task.ResultContentType);
        if (parts.HasFlag(Parts.Result) && !parts.HasFlag(Parts.ResultApart))
            pack.Bytes(task.Result.Span);
        if (task.FormerAttempts.Length > 0)
            Write(pack, task.FormerAttempts);
        if (task.Lease is { } lease)
            Write(pack, lease);
        if (task.Awaits > 0)
            pack.Number(task.Awaits);
        if (task.Dependants > 0)
            pack.Number(task.Dependants);
    }

    /// <summary>Reads a task with its life.</summary>
    /// <param name="pack">What was written.</param>
    /// <param name="task">The task as far as it is known.</param>
    /// <param name="readResult">Reads a result that is kept apart.</param>
    public static TaskRecord Read(ref PackReader pack, TaskRecord task, Func<long, byte[]> readResult)
    {
        pack.Form(Form);
        var parts = (Parts)pack.Number();
        return task with
        {
            UpdatedAt = ReadTime(ref pack),
            Failures = pack.Whole(),
            DueAt = parts.HasFlag(Parts.DueAt) ? ReadTime(ref pack) : null,
            StartedAt = parts.HasFlag(Parts.StartedAt) ? ReadTime(ref pack) : null,
            ExpiresAt = parts.HasFlag(Parts.ExpiresAt) ? ReadTime(ref pack) : null,
            Worker = parts.HasFlag(Parts.Worker) ? pack.Text() : "",
            Cancellation = parts.HasFlag(Parts.Cancellation) ? new Cancellation(pack.Text(), pack.Text(), ReadTime(ref pack)) : null,
            Failure = parts.HasFlag(Parts.Failure) ? ReadFailure(ref pack) : null,
            Progress = parts.HasFlag(Parts.Progress) ? new TaskProgress(pack.Real(), pack.Text(), ReadTime(ref pack)) : null,
            ResultContentType = parts.HasFlag(Parts.Result) ? pack.Text() : "",
            Result = parts.HasFlag(Parts.ResultApart) ? readResult(task.Sequence) : parts.HasFlag(Parts.Result) ? pack.Bytes().ToArray() : default,
            FormerAttempts = parts.HasFlag(Parts.Attempts) ? ReadAttempts(ref pack) : [],
            Lease = parts.HasFlag(Parts.Lease) ? ReadLease(ref pack) : null,
            Awaits = parts.HasFlag(Parts.Awaits) ? pack.Whole() : 0,
            Dependants = parts.HasFlag(Parts.Dependants) ? pack.Whole() : 0,
        };
    }

    private static Parts PartsOf(TaskRecord task) =>
        (task.DueAt is null ? Parts.None : Parts.DueAt)
        | (task.StartedAt is null ? Parts.None : Parts.StartedAt)
        | (task.ExpiresAt is null ? Parts.None : Parts.ExpiresAt)
        | (task.Worker.Length == 0 ? Parts.None : Parts.Worker)
        | (task.Cancellation is null ? Parts.None : Parts.Cancellation)
        | (task.Failure is null ? Parts.None : Parts.Failure)
        | (task.Progress is null ? Parts.None : Parts.Progress)
        | (task.Result.IsEmpty && task.ResultContentType.Length == 0 ? Parts.None : Parts.Result)
        | (IsApart(task.Result) ? Parts.ResultApart : Parts.None)
        | (task.FormerAttempts.Length == 0 ? Parts.None : Parts.Attempts)
        | (task.Lease is null ? Parts.None : Parts.Lease)
        | (task.Awaits == 0 ? Parts.None : Parts.Awaits)
        | (task.Dependants == 0 ? Parts.None : Parts.Dependants);

    private static void Write(PackWriter pack, LeaseState lease)
    {
        pack.Signed(lease.Nonce);
        pack.Number(lease.Until is null ? 0 : 1);
        if (lease.Until is { } until)
            WriteTime(pack, until);
        pack.Signed(lease.EndedBy.Claim);
        pack.Signed(lease.EndedBy.Nonce);
    }

    private static LeaseState ReadLease(ref PackReader pack) =>
        new(pack.Signed(), pack.Number() == 0 ? null : ReadTime(ref pack), new LeaseToken(pack.Signed(), pack.Signed()));

    private static void Write(PackWriter pack, Cancellation cancellation)
    {
        pack.Text(cancellation.Reason);
        pack.Text(cancellation.By);
        WriteTime(pack, cancellation.At);
    }

    private static void Write(PackWriter pack, Failure failure)
    {
        pack.Number((int)failure.Code);
        pack.Text(failure.Message);
        pack.Text(failure.Detail);
        pack.Number(failure.Retryable ? 1 : 0);
    }

    private static Failure ReadFailure(ref PackReader pack)
    {
        var code = (FailureCode)pack.Number();
        (string message, string detail) = (pack.Text(), pack.Text());
        return new Failure(code, message, pack.Number() == 1, detail);
    }

    private static void Write(PackWriter pack, TaskProgress progress)
    {
        pack.Real(progress.Fraction);
        pack.Text(progress.Message);
        WriteTime(pack, progress.UpdatedAt);
    }

    private static void Write(PackWriter pack, ImmutableArray<AttemptRecord> attempts)
    {
        pack.Number(attempts.Length);
        foreach (AttemptRecord attempt in attempts)
        {
            pack.Number(attempt.Number);
            WriteTime(pack, attempt.StartedAt);
            pack.Number(attempt.FinishedAt is null ? 0 : 1);
            if (attempt.FinishedAt is { } finishedAt)
                WriteTime(pack, finishedAt);
            pack.Text(attempt.Worker);
            pack.Number(attempt.Failure is null ? 0 : 1);
            if (attempt.Failure is { } failure)
                Write(pack, failure);
        }
    }

    private static ImmutableArray<AttemptRecord> ReadAttempts(ref PackReader pack)
    {
        var attempts = ImmutableArray.CreateBuilder<AttemptRecord>();
        for (int count = pack.Count(); count > 0; count--)
        {
            attempts.Add(new AttemptRecord(
                pack.Whole(),
                ReadTime(ref pack),
                pack.Number() == 0 ? null : ReadTime(ref pack),
                pack.Text(),
                pack.Number() == 0 ? null : ReadFailure(ref pack)));
        }

        return attempts.DrainToImmutable();
    }

    private static void WriteTime(PackWriter pack, DateTimeOffset time) => pack.Signed(Times.ToTicks(time));

    private static DateTimeOffset ReadTime(ref PackReader pack) => pack.Time();
}
