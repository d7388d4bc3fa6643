using Grpc.Core;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Access;
using Microsoft.AspNetCore.Http;

namespace GrpcPool.Server.Hosting;

/// <summary>
/// How fast something may go on. It may be charged for more than it has, and then has to wait until that has come back; where it owes much, also for those with whom it shares a pace. Thread-safe.
/// </summary>
internal class Pace(int perSecond, RateOptions rate, TimeProvider time, Pace? shared = null)
{
    /// <summary>At most this is waited for at a time: whatever it owes, it goes on a little.</summary>
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(1);

    /// <summary>Who is charged now and then owes less than this takes to come back.</summary>
    private static readonly TimeSpan Little = TimeSpan.FromSeconds(0.25);

    private readonly Lock _lock = new();
    private readonly TokenBucket _bucket = new(perSecond, rate, time);
    private volatile bool _charged;

    /// <summary>How long it is until it may go on.</summary>
    public TimeSpan Wait
    {
        get
        {
            if (!_charged)
                return TimeSpan.Zero;
            TimeSpan wait, owed;
            lock (_lock)
                (wait, owed) = (_bucket.Wait, _bucket.Owed);
            if (owed > Little && shared?.Wait is { } all && all > wait)
                wait = all;
            return wait < WaitMax ? wait : WaitMax;
        }
    }

    public void Charge(int cost)
    {
        _charged = true;
        lock (_lock)
            _bucket.Take(cost);
        shared?.Charge(cost);
    }
}

/// <summary>
/// How fast a connection may do what is of use to nobody. Beyond, it is read later, and nothing of it is lost: who floods has others wait no longer than that takes.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="all">The pace of all connections of the listener.</param>
internal sealed class ConnectionPace(TimeProvider time, Pace? all = null) : Pace(PerSecond, Rate, time, all)
{
    /// <summary>What a frame costs that says nothing: there may be 1,000 a second.</summary>
    public const int Useless = 10;

    /// <summary>What a frame costs that clients send now and then of themselves: 10,000 a second.</summary>
    public const int Upkeep = 1;

    /// <summary>What a call costs that was given up before its end, or refused for what it is: 400 a second.</summary>
    private const int Call = 25;

    /// <summary>What a message costs that was unpacked up to the bound of a message, and refused: two a second.</summary>
    private const int Unpacked = 5000;

    private const int PerSecond = 10_000;

    private const string MessageEncoding = "grpc-encoding";

    private static readonly RateOptions Rate = new() { Burst = PerSecond / 2 };

    /// <summary>The pace of all connections of a listener together, which is that of two.</summary>
    public static Pace OfAll(TimeProvider time) => new(2 * PerSecond, Rate, time);

    /// <summary>Whether a call of it has come to an end that was of use.</summary>
    public bool IsOfUse { get; private set; }

    /// <summary>Takes note of how a call has ended. What is refused for the state of the pool costs nothing: its caller did nothing wrong.</summary>
    public void Note(HttpContext call)
    {
        int cost = Refusal.OutcomeOf(call) switch
        {
            StatusCode.Cancelled or StatusCode.Unknown or StatusCode.Internal => Call,
            StatusCode.InvalidArgument or StatusCode.Unauthenticated or StatusCode.PermissionDenied or StatusCode.Unimplemented => Call,
            StatusCode.ResourceExhausted when Refusal.HasDetails(call) => 0,
            StatusCode.ResourceExhausted => call.Request.Headers.ContainsKey(MessageEncoding) ? Unpacked : Call, // gRPC has refused a message for its size.
            _ => 0,
        };
        if (cost > 0)
            Charge(cost);
        else
            IsOfUse = true;
    }
}
