using GrpcPool.Core.Execution;
using GrpcPool.Core.Handlers;

namespace GrpcPool.Core.Workers;

/// <summary>Who a worker is, checked.</summary>
internal sealed record WorkerHello(string Name, string Namespace, IReadOnlySet<string> Kinds, int Slots, IReadOnlyDictionary<string, string> Labels)
{
    /// <summary>By which token it comes; empty where none is asked for. Nobody else resumes in its place.</summary>
    public string Token { get; init; } = "";
}

/// <summary>How a worker fares.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Hello">Who it is.</param>
/// <param name="SlotsUsed">How many of its slots are taken.</param>
/// <param name="Since">Since when it is here.</param>
/// <param name="HeardAt">When it was last heard.</param>
/// <param name="Connected">Whether a stream of it is open: else it may come back.</param>
/// <param name="Draining">Whether it takes no more, of itself or because it was told to leave.</param>
internal sealed record WorkerState(string Id, WorkerHello Hello, int SlotsUsed, DateTimeOffset Since, DateTimeOffset HeardAt, bool Connected, bool Draining);

/// <summary>What a worker says of one of its leases: one of progress, log and outcome.</summary>
/// <param name="TaskId">The task, as the worker names it.</param>
/// <param name="Attempt">The attempt's number, as the worker names it.</param>
/// <param name="Token">What it shows; null where that is no token at all.</param>
internal readonly record struct LeaseReport(string TaskId, int Attempt, LeaseToken? Token)
{
    public (double Fraction, string Message)? Progress { get; init; }

    public ReadOnlyMemory<byte> Log { get; init; }

    /// <summary>How the attempt ended; null while it goes on.</summary>
    public TaskOutcome? Outcome { get; init; }
}

/// <summary>A lease that a worker is told of.</summary>
internal readonly record struct LeaseName(string TaskId, int Attempt, byte[] Token)
{
    public static LeaseName Of(Assignment assignment) => new(assignment.Id.Value, assignment.Attempt, assignment.Token.ToBytes());
}

/// <summary>An attempt that is to stop.</summary>
internal readonly record struct StopNotice(LeaseName Lease, StopReason Reason, TimeSpan Grace);

/// <summary>What a worker is to be told next.</summary>
/// <param name="Assignments">What it is to execute; each message of them is numbered when it is sent.</param>
/// <param name="Accepted">Up to where its reports are durable; null: no news.</param>
/// <param name="Stops">What is to stop.</param>
/// <param name="Lost">What is no longer its own.</param>
/// <param name="Drain">Whether it shall finish and leave.</param>
internal sealed record WorkerMail(
    IReadOnlyList<Assignment> Assignments, long? Accepted, IReadOnlyList<StopNotice> Stops, IReadOnlyList<LeaseName> Lost, bool Drain);

/// <summary>A worker breaks the rules, or there are too many of them.</summary>
internal sealed class WorkerException(WorkerFault fault, string message) : Exception(message)
{
    public WorkerFault Fault { get; } = fault;
}

/// <summary>What is wrong with a worker.</summary>
internal enum WorkerFault
{
    /// <summary>It says what cannot be.</summary>
    Protocol,

    /// <summary>There would be one too many.</summary>
    TooMany,

    /// <summary>It resumes as somebody else.</summary>
    Changed,

    /// <summary>Another stream has resumed it.</summary>
    Replaced,

    /// <summary>It was not heard for too long.</summary>
    Silent,
}

/// <summary>One stream of a worker: ended from within when another has taken its place.</summary>
internal sealed class WorkerStream(WorkerSession session, int number) : IDisposable
{
    private readonly CancellationTokenSource _ended = new();

    public WorkerSession Session { get; } = session;

    /// <summary>1, 2, 3 … within its session.</summary>
    public int Number { get; } = number;

    /// <summary>Fires when the stream is to end.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Why; null before.</summary>
    public WorkerException? Reason { get; private set; }

    public void End(WorkerFault fault, string message)
    {
        Reason ??= new WorkerException(fault, message);
        _ended.Cancel();
    }

    public void Dispose() => _ended.Dispose();
}

/// <summary>What a worker does.</summary>
/// <param name="Hello">Who it is.</param>
/// <param name="Held">How many attempts it holds.</param>
/// <param name="Ended">How many of its attempts have ended.</param>
internal readonly record struct WorkerLoad(WorkerHello Hello, int Held, long Ended);
