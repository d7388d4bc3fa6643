namespace GrpcPool.Core.Execution;

/// <summary>The pool has closed: nothing is committed any more.</summary>
internal sealed class PoolClosedException() : Exception("the pool has closed");
