using GrpcPool.Core.Hosting;

namespace GrpcPool.Core.Execution;

/// <summary>
/// Lets something start so often: the tokens come back evenly, on the monotonic clock, and some are saved up. The generic cell rate algorithm of ITU-T I.371, which
/// keeps one point in time in the place of a number of tokens. Not thread-safe.
/// </summary>
internal sealed class TokenBucket
{
    private readonly TimeProvider _time;
    private readonly long _begin;

    /// <summary>In ticks, as the rest: how long one token takes, and how far ahead of the clock the burst lets starts be.</summary>
    private readonly double _perToken;
    private readonly double _ahead;

    /// <summary>When all tokens are back.</summary>
    private double _full;

    /// <param name="tokens">How many come back.</param>
    /// <param name="rate">In which time, and how many are saved up.</param>
    /// <param name="time">The clock.</param>
    public TokenBucket(int tokens, RateOptions rate, TimeProvider time)
    {
        (_time, _begin) = (time, time.GetTimestamp());
        _perToken = (double)rate.Per.Ticks / tokens;
        _ahead = _perToken * ((rate.Burst ?? tokens) - 1);
    }

    /// <summary>How long it is until there is a token; zero where there is one. Half a tick is what fractions may add up to.</summary>
    public TimeSpan Wait => TimeSpan.FromTicks(Math.Max(0, (long)Math.Ceiling(_full - _ahead - Now - 0.5)));

    /// <summary>How long it is until all tokens are back.</summary>
    public TimeSpan Owed => TimeSpan.FromTicks(Math.Max(0, (long)(_full - Now)));

    public bool HasToken => Wait == TimeSpan.Zero;

    public bool IsFull => _full <= Now;

    private double Now => _time.GetElapsedTime(_begin).Ticks;

    public void Take(int tokens = 1) => _full = Math.Max(_full, Now) + (tokens * _perToken);
}
