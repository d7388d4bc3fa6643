using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using GrpcPool.Core.Administration;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Watching;
using GrpcPool.Core.Workers;
using GrpcPool.V1;
using TaskState = GrpcPool.Core.Tasks.TaskState;

namespace GrpcPool.Server.Services;

/// <summary>The whole error table: which status, with which details, each error becomes.</summary>
internal static class ErrorTable
{
    private const string Domain = "grpcpool";

    /// <summary>How many kinds an error names. It goes out in trailers, of which clients take 64 KiB.</summary>
    private const int KindsMax = 50;

    /// <summary>How long the message of one item's error is, of many in one answer.</summary>
    private const int MessageCharactersMax = 1000;

    /// <summary>When a caller whom a full queue refused may try again.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    /// <summary>Bytes that make no message of the contract.</summary>
    public static Google.Rpc.Status Unreadable(Exception fault) =>
        ToStatus(new PoolError.InvalidFields([new FieldViolation("request", $"must be a serialized message of its type, made from the protos of this server: {fault.Message}")]));

    public static Google.Rpc.Status ToStatus(PoolError error) => error switch
    {
        PoolError.InvalidFields invalid => Make(Code.InvalidArgument, Describe(invalid.Violations), ToBadRequest(invalid.Violations)),
        PoolError.TaskNotFound task => Make(
            Code.NotFound, $"no task has the id '{task.Id}': it was never accepted here, or its retention has ended", Info("TASK_NOT_FOUND", ("id", task.Id))),
        PoolError.KindNotFound kind => Make(
            Code.NotFound, $"nobody runs the kind '{kind.Kind}'; known are: {Describe(kind.Known)}", Info("KIND_NOT_FOUND", ("kind", kind.Kind))),
        PoolError.WorkerNotFound worker => Make(
            Code.NotFound, $"no worker has the id '{worker.Id}': it has left, or come back with another one", Info("WORKER_NOT_FOUND", ("id", worker.Id))),
        PoolError.IdConflict task => Make(
            Code.AlreadyExists, $"the id '{task.Id}' belongs to a task with another spec: choose another id", Info("ID_CONFLICT", ("id", task.Id))),
        PoolError.KeyHeld held => Make(
            held.Retried ? Code.FailedPrecondition : Code.AlreadyExists,
            held.Holder.Length == 0
                ? $"another task has the unique key '{held.Key}'"
                : $"the task '{held.Holder}', which is {NameOf(held.State)}, has the unique key '{held.Key}': wait for its end or cancel it",
            Info("UNIQUE_KEY_HELD", ("unique_key", held.Key), ("id", held.Holder), ("state", NameOf(held.State)))),
        PoolError.ParentNotFound parent => Make(
            Code.NotFound,
            $"after[{parent.Place}]: no task has the id '{parent.Id}': submit it before, or earlier in the batch",
            ToBadRequest([new FieldViolation($"after[{parent.Place}]", "must be the id of a task that exists")]),
            Info("TASK_NOT_FOUND", ("id", parent.Id))),
        PoolError.Awaited task => Make(
            Code.FailedPrecondition, $"tasks that are to run after '{task.Id}' have not ended: it is kept for them until then", Info("AWAITED", ("id", task.Id))),
        PoolError.ScheduleNotFound schedule => Make(
            Code.NotFound, $"no schedule has the id '{schedule.Id}': it was never created here, or is deleted", Info("SCHEDULE_NOT_FOUND", ("id", schedule.Id))),
        PoolError.ScheduleExists schedule => Make(
            Code.AlreadyExists, $"the id '{schedule.Id}' belongs to a schedule with another definition: update that one, or choose another id", Info("SCHEDULE_EXISTS", ("id", schedule.Id))),
        PoolError.VersionConflict conflict => Make(
            Code.Aborted,
            $"the schedule '{conflict.Id}' has version {conflict.Current} by now, not {conflict.Sent}: read it again and repeat the change",
            Info("VERSION_CONFLICT", ("id", conflict.Id), ("version", conflict.Current.ToString(CultureInfo.InvariantCulture)))),
        PoolError.QueueFull full => Make(
            Code.ResourceExhausted, $"the queue '{full.Queue}' is full ({full.Capacity} waiting tasks): try again later", Retry(), QueueFull(full.Queue, full.Capacity)),
        PoolError.PoolFull full => Make(
            Code.ResourceExhausted, $"the pool is full ({full.Capacity} waiting tasks): try again later", Retry(), QueueFull(full.Queue, full.Capacity)),
        PoolError.LimitReached limit => Make(
            Code.ResourceExhausted,
            $"{limit.What}: {limit.Setting} is {limit.Limit}",
            Retry(),
            Info("LIMIT_REACHED", ("setting", limit.Setting), ("limit", Text(limit.Limit)))),
        PoolError.WrongState task => Make(
            Code.FailedPrecondition, $"the task '{task.Id}' is {NameOf(task.State)}, but must be {task.Wanted}", Precondition(task), Info("WRONG_STATE", ("id", task.Id))),
        PoolError.Aborted => Make(Code.Aborted, "another task of the atomic batch was refused: mend that one and repeat", Info("BATCH_ABORTED")),
        PoolError.LeaseLost lease => Make(
            Code.FailedPrecondition, $"the lease on the task '{lease.Id}' does not stand any more: the attempt may run again elsewhere, so give up", Info("LEASE_LOST", ("id", lease.Id))),
        PoolError.WorkerRule rule => Make(Code.FailedPrecondition, rule.Message, Info("WORKER_PROTOCOL")),
        PoolError.WorkerGone gone => Make(Code.Unavailable, $"{gone.Message}: connect again", Info("WORKER_GONE")),
        PoolError.TooMany many => Make(Code.ResourceExhausted, many.Message, Retry(), Info("LIMIT_REACHED")),
        PoolError.OutOfRange range => Make(Code.OutOfRange, range.Message, Info("REVISION_OUT_OF_RANGE")),
        PoolError.Draining => Make(Code.Unavailable, "the server shuts down: try again when it is back", Info("DRAINING")),
        PoolError.MemoryShort => Make(Code.ResourceExhausted, "the server is short of memory: try again later", Retry(), Info("MEMORY_SHORT")),
        PoolError.Storage { Fault: StorageFault.Full } => Make(
            Code.ResourceExhausted, "the server's disk is full: try again when its operator has made room", Retry(), Info("STORAGE_FULL")),
        PoolError.Storage { Fault: StorageFault.InputOutput or StorageFault.NotAccessible or StorageFault.Busy } => Make(
            Code.Unavailable, "the server cannot use its disk, its log says why: try again later", Retry(), Info("STORAGE_FAILED")),
        PoolError.Storage { Fault: StorageFault.Corrupt } => Make(
            Code.Internal, "the server's database is damaged: its operator must run grpcpool check and restore a backup", Info("STORAGE_DAMAGED")),
        PoolError.Storage { Fault: StorageFault.Exists } storage => Make(Code.AlreadyExists, storage.Message, Info("FILE_EXISTS")),
        PoolError.Storage { Fault: StorageFault.Unsupported or StorageFault.WrongPlace } storage => Make(Code.FailedPrecondition, storage.Message, Info("STORAGE_UNSUPPORTED")),
        PoolError.Storage => Make(Code.Internal, "a fault of the server's store, whose log says more", Info("STORAGE_FAULT")),
        PoolError.Unidentified caller => Make(Code.Unauthenticated, caller.Message, Info(caller.Reason)),
        PoolError.Denied caller => Make(Code.PermissionDenied, caller.Message, Info(caller.Reason)),
        PoolError.RateExceeded rate => Make(
            Code.ResourceExhausted, $"{rate.Name} calls more often than its Rate allows", new RetryInfo { RetryDelay = Duration.FromTimeSpan(rate.Wait) }, Info("RATE_EXCEEDED")),
        PoolError.StoppedReading => Make(Code.Unavailable, "the reader has stopped reading: go on from what came last", Info("STOPPED_READING")),
        _ => throw new UnreachableException(),
    };

    /// <summary>The same error as it stands in the result of one item.</summary>
    public static SubmitError ToSubmitError(PoolError error)
    {
        Google.Rpc.Status status = ToStatus(error);
        return new SubmitError
        {
            Code = status.Code,
            Message = status.Message.Length <= MessageCharactersMax ? status.Message : $"{status.Message[..MessageCharactersMax]}…",
            Reason = status.GetDetail<ErrorInfo>()?.Reason ?? "",
            Field = status.GetDetail<BadRequest>()?.FieldViolations[0].Field ?? "",
            RetryAfter = status.GetDetail<RetryInfo>()?.RetryDelay,
        };
    }

    /// <summary>Why a task was not accepted; null where it was.</summary>
    public static PoolError? Of(SubmitResult result, NewTask task, SettingsInForce settings) => result.Verdict switch
    {
        SubmitVerdict.Created or SubmitVerdict.Existing => null,
        SubmitVerdict.Conflict => new PoolError.IdConflict(task.Id.Value),
        SubmitVerdict.NoParent => new PoolError.ParentNotFound(task.Spec.After[result.Place], result.Place),
        SubmitVerdict.KeyHeld => KeyHeld(task.Spec.UniqueKey, result.Task),
        SubmitVerdict.QueueFull => new PoolError.QueueFull(task.Spec.Queue, settings.Queue(task.Spec.Queue).Capacity),
        SubmitVerdict.PoolFull => new PoolError.PoolFull(task.Spec.Queue, settings.Configured.Pool.Capacity),
        SubmitVerdict.StorageFull => new PoolError.Storage(StorageFault.Full, ""),
        SubmitVerdict.MemoryShort => new PoolError.MemoryShort(),
        SubmitVerdict.TooManyQueues => new PoolError.LimitReached("Limits:Queues", settings.Configured.Limits.Queues, $"the queue '{task.Spec.Queue}' would be one too many"),
        SubmitVerdict.TooManyNamespaces => new PoolError.LimitReached(
            "Limits:Namespaces", settings.Configured.Limits.Namespaces, $"the namespace '{task.Id.Namespace}' would be one too many"),
        SubmitVerdict.TooManyWaiters => new PoolError.LimitReached("Limits:Waiters", settings.Configured.Limits.Waiters, "too many submissions wait for room"),
        SubmitVerdict.Draining => new PoolError.Draining(),
        SubmitVerdict.Aborted => new PoolError.Aborted(),
        _ => throw new UnreachableException(),
    };

    /// <summary>That a task has a unique key. It is not named where it would have come of the same atomic batch, or the caller may not know of it.</summary>
    public static PoolError.KeyHeld KeyHeld(string key, Core.Tasks.TaskRecord? holder, bool retried = false, TaskScope? scope = null) =>
        holder is not null && scope?.Covers(holder.Spec) != false ? new(key, holder.Id.Value, holder.State, retried) : new(key, "", TaskState.Queued, retried);

    public static PoolError Of(WatchException fault, GrpcPoolOptions options) => fault.Fault switch
    {
        WatchFault.NotFound => new PoolError.TaskNotFound(fault.Subject),
        WatchFault.OutOfRange => new PoolError.OutOfRange(fault.Message),
        WatchFault.TooMany => new PoolError.LimitReached("Limits:Watchers", options.Limits.Watchers, "too many watches are open"),
        _ => new PoolError.Draining(),
    };

    public static PoolError Of(WorkerException fault) => fault.Fault switch
    {
        WorkerFault.Protocol => new PoolError.WorkerRule(fault.Message),
        WorkerFault.Changed => new PoolError.InvalidFields([new FieldViolation("hello.resume_worker_id", fault.Message)]),
        WorkerFault.TooMany => new PoolError.TooMany(fault.Message),
        _ => new PoolError.WorkerGone(fault.Message),
    };

    private static Google.Rpc.Status Make(Code code, string message, params IMessage[] details)
    {
        var status = new Google.Rpc.Status { Code = (int)code, Message = message };
        foreach (IMessage detail in details)
            status.Details.Add(Any.Pack(detail));
        return status;
    }

    private static string Describe(IReadOnlyList<FieldViolation> violations) => string.Join("; ", violations.Select(static violation => $"{violation.Field} {violation.Rule}"));

    private static string Describe(IEnumerable<string> kinds) =>
        kinds.Take(KindsMax + 1).ToArray() is { Length: > KindsMax } many ? $"{string.Join(", ", many.Take(KindsMax))} and others" : string.Join(", ", kinds);

    private static BadRequest ToBadRequest(IReadOnlyList<FieldViolation> violations) => new()
    {
        FieldViolations = { violations.Select(static violation => new BadRequest.Types.FieldViolation { Field = violation.Field, Description = violation.Rule }) },
    };

    private static ErrorInfo Info(string reason, params (string Name, string Value)[] metadata)
    {
        var info = new ErrorInfo { Reason = reason, Domain = Domain };
        foreach ((string name, string value) in metadata)
            info.Metadata.Add(name, value);
        return info;
    }

    private static ErrorInfo QueueFull(string queue, int capacity) => Info("QUEUE_FULL", ("queue", queue), ("capacity", Text(capacity)));

    private static RetryInfo Retry() => new() { RetryDelay = Duration.FromTimeSpan(RetryDelay) };

    private static PreconditionFailure Precondition(PoolError.WrongState task) => new()
    {
        Violations = { new PreconditionFailure.Types.Violation { Type = "STATE", Subject = task.Id, Description = $"is {NameOf(task.State)}, must be {task.Wanted}" } },
    };

    private static string NameOf(TaskState state) => state.ToString().ToUpperInvariant();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
