using System.Collections.Concurrent;
using GrpcPool.Core.Execution;

namespace GrpcPool.Core.Workers;

/// <summary>Every lease that stands on an attempt outside of this process, by its claim. Thread-safe.</summary>
internal sealed class LeaseBook
{
    private readonly ConcurrentDictionary<long, ILease> _leases = new();

    public IEnumerable<ILease> All => _leases.Values;

    public TLease Open<TLease>(TLease lease)
        where TLease : ILease
    {
        _leases[lease.Token.Claim] = lease;
        return lease;
    }

    /// <summary>The lease that a token proves; null for none.</summary>
    public ILease? Find(LeaseToken token) => _leases.TryGetValue(token.Claim, out ILease? lease) && lease.Token == token ? lease : null;

    public void Close(LeaseToken token) => _leases.TryRemove(token.Claim, out _);
}

/// <summary>A lease that stands.</summary>
internal interface ILease : IAttemptHolder
{
    LeaseToken Token { get; }
}
