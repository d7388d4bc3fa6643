using Grpc.Core;

namespace GrpcPool.Client;

/// <summary>How long, and in what rhythm, one operation is tried again. Not thread-safe.</summary>
internal sealed class Patience(TimeSpan limit, TimeProvider time)
{
    public static readonly TimeSpan PauseMin = TimeSpan.FromMilliseconds(100), PauseMax = TimeSpan.FromSeconds(5);

    private TimeSpan _pause = PauseMin;
    private long? _since;

    /// <summary>Whether to try again, and after what pause.</summary>
    public bool Allows(RpcException error, out TimeSpan pause)
    {
        _since ??= time.GetTimestamp();
        pause = Spread(error.RetryAfter() ?? _pause);
        _pause = Min(_pause * 2, PauseMax);
        return error.MayPass() && (limit == Timeout.InfiniteTimeSpan || time.GetElapsedTime(_since.Value) + pause <= limit);
    }

    /// <summary>The trouble is over; the next one is another.</summary>
    public void Renew() => (_since, _pause) = (null, PauseMin);

    /// <summary>Not all who were refused together come back together.</summary>
    private static TimeSpan Spread(TimeSpan pause) => pause * (1 + (Random.Shared.NextDouble() / 2));

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
