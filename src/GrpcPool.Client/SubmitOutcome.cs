using GrpcPool.V1;

namespace GrpcPool.Client;

/// <summary>What became of one task of many.</summary>
/// <param name="Index">Its place among the submitted, from 0.</param>
/// <param name="Id">Its id, given or made; that of the live task where the server answers it for its unique key.</param>
/// <param name="Created">Whether the answered call made it. False for an error, where it was there with an equal spec, and where an answer was lost and the call repeated.</param>
/// <param name="Error">Why it was not accepted; null where it was.</param>
public sealed record SubmitOutcome(long Index, string Id, bool Created, SubmitError? Error)
{
    /// <summary>Whether the server has the task.</summary>
    public bool Accepted => Error is null;
}
