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
        if (Has(parts, Parts.Result))
            pack.Text(task.ResultContentType);
        if (Has(parts, Parts.Result) && !Has(parts, Parts.ResultApart))
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

    /// <summary>Reads a task: its life, then its spec, which may follow in the same pack. It is made once, with all that it has: of most that are read nothing else is kept.</summary>
    /// <param name="columns">What stands beside the packs.</param>
    /// <param name="life">What <see cref="Write(PackWriter, TaskRecord)"/> has written.</param>
    /// <param name="spec">What <see cref="SpecPack.Write(PackWriter, TaskRecord)"/> has written, and nothing after it.</param>
    /// <param name="readResult">Reads a result that is kept apart.</param>
    /// <param name="readPayload">Reads a payload that is kept apart.</param>
    public static TaskRecord Read(in TaskColumns columns, ref PackReader life, ref PackReader spec, Func<long, byte[]> readResult, Func<long, byte[]> readPayload)
    {
        life.Form(Form);
        var parts = (Parts)life.Number();
        return new TaskRecord
        {
            Id = columns.Id,
            Sequence = columns.Sequence,
            Revision = columns.Revision,
            State = columns.State,
            Version = columns.Version,
            RunAt = columns.RunAt,
            Claim = columns.Claim,
            Line = columns.Line,
            Blocked = columns.Blocked,
            Attempt = columns.Attempt,
            Losses = columns.Losses,
            FinishedAt = columns.FinishedAt,
            UpdatedAt = life.Time(),
            Failures = life.Whole(),
            DueAt = Has(parts, Parts.DueAt) ? life.Time() : null,
            StartedAt = Has(parts, Parts.StartedAt) ? life.Time() : null,
            ExpiresAt = Has(parts, Parts.ExpiresAt) ? life.Time() : null,
            Worker = Has(parts, Parts.Worker) ? life.Text() : "",
            Cancellation = Has(parts, Parts.Cancellation) ? new Cancellation(life.Text(), life.Text(), life.Time()) : null,
            Failure = Has(parts, Parts.Failure) ? ReadFailure(ref life) : null,
            Progress = Has(parts, Parts.Progress) ? new TaskProgress(life.Real(), life.Text(), life.Time()) : null,
            ResultContentType = Has(parts, Parts.Result) ? life.Text() : "",
            Result = Has(parts, Parts.ResultApart) ? readResult(columns.Sequence) : Has(parts, Parts.Result) ? life.Kept() : default,
            FormerAttempts = Has(parts, Parts.Attempts) ? ReadAttempts(ref life) : [],
            Lease = Has(parts, Parts.Lease) ? ReadLease(ref life) : null,
            Awaits = Has(parts, Parts.Awaits) ? life.Whole() : 0,
            Dependants = Has(parts, Parts.Dependants) ? life.Whole() : 0,
            SubmittedAt = SpecPack.ReadSubmittedAt(ref spec),
            SubmittedBy = spec.Text(),
            SpecHash = SpecPack.ReadHash(ref spec),
            Spec = SpecPack.ReadSpec(ref spec, columns, readPayload),
        };
    }

    /// <summary>As <see cref="Enum.HasFlag"/>, which makes two objects here.</summary>
    private static bool Has(Parts parts, Parts part) => (parts & part) != 0;

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
        new(pack.Signed(), pack.Number() == 0 ? null : pack.Time(), new LeaseToken(pack.Signed(), pack.Signed()));

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
                pack.Time(),
                pack.Number() == 0 ? null : pack.Time(),
                pack.Text(),
                pack.Number() == 0 ? null : ReadFailure(ref pack)));
        }

        return attempts.DrainToImmutable();
    }

    private static void WriteTime(PackWriter pack, DateTimeOffset time) => pack.Signed(Times.ToTicks(time));
}
