namespace GrpcPool.Core.Tasks;

/// <summary>What becomes of a task whose unique key a live one has. The numbers are those of the contract.</summary>
internal enum ConflictPolicy
{
    /// <summary>The live task is answered.</summary>
    UseExisting = 1,

    /// <summary>The new one is refused.</summary>
    Reject = 2,

    /// <summary>The live one is cancelled, if it waits; one that runs stays, and the new one is refused.</summary>
    Replace = 3,
}
