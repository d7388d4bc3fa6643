using GrpcPool.Core.Hosting;

namespace GrpcPool.Core.Execution;

/// <summary>The rates at which attempts may start, of queues and of kinds, in each namespace. Guarded by the dispatcher's lock.</summary>
internal sealed class RateLimits(GrpcPoolOptions options, TimeProvider time)
{
    private readonly Dictionary<(string Namespace, string? Queue, string? Kind), TokenBucket> _buckets = [];

    /// <summary>Those that had no token left when they were used last: what they hold up may start later, though nothing else happens.</summary>
    private readonly HashSet<TokenBucket> _empty = [];

    /// <summary>How long it is until something that was held up may start; null where nothing was.</summary>
    public TimeSpan? Wait => _empty.Count == 0 ? null : _empty.Min(static bucket => bucket.Wait);

    /// <summary>The bucket of a queue; null where it has no rate.</summary>
    public TokenBucket? OfQueue(QueueId id) => Find((id.Namespace, id.Name, null), options.QueueOrDefault(id.Name).Rate);

    /// <summary>The bucket of a kind; null where it has no rate.</summary>
    public TokenBucket? OfKind(string @namespace, string kind) => options.Kinds.TryGetValue(kind, out KindOptions? own) ? Find((@namespace, null, kind), own.Rate) : null;

    /// <summary>Takes a token of each. True where one of them has no other.</summary>
    public bool Take(TokenBucket? queue, TokenBucket? kind)
    {
        bool queueEmpty = Take(queue);
        return Take(kind) | queueEmpty;
    }

    /// <summary>True where a bucket that was empty has a token again.</summary>
    public bool Refill() => _empty.RemoveWhere(static bucket => bucket.HasToken) > 0;

    private bool Take(TokenBucket? bucket)
    {
        bucket?.Take();
        if (bucket is null or { HasToken: true })
            return false;
        _empty.Add(bucket);
        return true;
    }

    private TokenBucket? Find((string, string?, string?) key, RateOptions rate)
    {
        if (rate.Tokens is not { } tokens)
            return null;
        if (_buckets.TryGetValue(key, out TokenBucket? bucket))
            return bucket;

        // One that is full is like a new one: queues come and go.
        if (_buckets.Count >= options.Limits.Queues)
        {
            foreach ((var known, TokenBucket other) in _buckets)
            {
                if (other.IsFull)
                    _buckets.Remove(known);
            }
        }

        _buckets.Add(key, bucket = new TokenBucket(tokens, rate, time));
        return bucket;
    }
}
