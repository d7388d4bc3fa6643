using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;

namespace GrpcPool.Server.Access;

/// <summary>How often somebody may call. Thread-safe.</summary>
internal sealed class CallRate(int tokens, RateOptions rate, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly TokenBucket _bucket = new(tokens, rate, time);

    public static CallRate? Of(RateOptions rate, TimeProvider time) => rate.Tokens is { } tokens ? new CallRate(tokens, rate, time) : null;

    /// <summary>Takes a token; how long it is until there is one, where there is none.</summary>
    public TimeSpan? Take()
    {
        lock (_lock)
        {
            if (_bucket.Wait is var wait && wait > TimeSpan.Zero)
                return wait;
            _bucket.Take();
            return null;
        }
    }
}
