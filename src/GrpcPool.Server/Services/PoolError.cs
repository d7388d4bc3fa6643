using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Server.Services;

/// <summary>Everything that can be wrong with a call. <see cref="ErrorTable"/> says what becomes of each on the wire.</summary>
internal abstract record PoolError
{
    private PoolError()
    {
    }

    /// <summary>Fields that break their rules, all of them.</summary>
    public sealed record InvalidFields(IReadOnlyList<FieldViolation> Violations) : PoolError;

    public sealed record TaskNotFound(string Id) : PoolError;

    /// <summary>There is no such worker.</summary>
    public sealed record WorkerNotFound(string Id) : PoolError;

    public sealed record KindNotFound(string Kind, IEnumerable<string> Known) : PoolError;

    public sealed record IdConflict(string Id) : PoolError;

    /// <summary>A task that has not ended has the unique key.</summary>
    /// <param name="Key">The key.</param>
    /// <param name="Holder">Who has it.</param>
    /// <param name="State">The holder's state.</param>
    /// <param name="Retried">Whether it was asked for by Retry.</param>
    public sealed record KeyHeld(string Key, string Holder, TaskState State, bool Retried = false) : PoolError;

    /// <summary>One of the tasks after which another is to run does not exist.</summary>
    public sealed record ParentNotFound(string Id, int Place) : PoolError;

    /// <summary>Tasks that are to run after it have not ended.</summary>
    public sealed record Awaited(string Id) : PoolError;
    public sealed record ScheduleNotFound(string Id) : PoolError;

    public sealed record ScheduleExists(string Id) : PoolError;

    /// <summary>Somebody has changed the schedule since it was read.</summary>
    public sealed record VersionConflict(string Id, long Sent, long Current) : PoolError;

    public sealed record QueueFull(string Queue, int Capacity) : PoolError;

    public sealed record PoolFull(string Queue, int Capacity) : PoolError;

    /// <summary>One of the server's limits is reached.</summary>
    public sealed record LimitReached(string Setting, int Limit, string What) : PoolError;

    public sealed record WrongState(string Id, TaskState State, string Wanted) : PoolError;

    /// <summary>Another item of the same atomic batch was refused.</summary>
    public sealed record Aborted : PoolError;

    /// <summary>The lease that was shown does not stand.</summary>
    public sealed record LeaseLost(string Id) : PoolError;

    /// <summary>A worker breaks the rules of its stream.</summary>
    public sealed record WorkerRule(string Message) : PoolError;

    /// <summary>A worker's stream has to end, and may begin anew.</summary>
    public sealed record WorkerGone(string Message) : PoolError;

    /// <summary>A bound that no setting lifts.</summary>
    public sealed record TooMany(string Message) : PoolError;

    public sealed record OutOfRange(string Message) : PoolError;

    public sealed record Draining : PoolError;

    /// <summary>The process is short of memory.</summary>
    public sealed record MemoryShort : PoolError;

    /// <summary>The store cannot do what was asked.</summary>
    public sealed record Storage(StorageFault Fault, string Message) : PoolError;

    /// <summary>Who calls is not known.</summary>
    public sealed record Unidentified(string Reason, string Message) : PoolError;

    /// <summary>Who calls is known, and may not do this.</summary>
    public sealed record Denied(string Reason, string Message) : PoolError;

    /// <summary>Who calls does so too often.</summary>
    public sealed record RateExceeded(string Name, TimeSpan Wait) : PoolError;

    /// <summary>The reader of a stream does not read what it asked for.</summary>
    public sealed record StoppedReading : PoolError;
}

/// <summary>A field that breaks its rule.</summary>
internal readonly record struct FieldViolation(string Field, string Rule);

/// <summary>Ends a call with an error.</summary>
internal sealed class PoolErrorException(PoolError error) : Exception(error.ToString())
{
    public PoolError Error { get; } = error;
}
