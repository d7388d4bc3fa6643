namespace GrpcPool.Core.Execution;

/// <summary>Who runs an attempt outside of this process. It is called from any thread, and must not hold it up.</summary>
internal interface IAttemptHolder
{
    /// <summary>Whether the attempt goes on without this process, and stands over its restart.</summary>
    bool Outlives { get; }

    /// <summary>What the token of its lease has beside the claim, where it has reported the ending itself; else 0.</summary>
    long ReportedNonce { get; }

    /// <summary>The attempt is to end within the grace.</summary>
    void Stop(StopReason reason, TimeSpan grace);

    /// <summary>The grace is over: the lease is revoked.</summary>
    void Kill();

    /// <summary>The attempt's ending is committed.</summary>
    void EndCommitted();
}
