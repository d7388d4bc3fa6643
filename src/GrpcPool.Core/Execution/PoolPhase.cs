namespace GrpcPool.Core.Execution;

/// <summary>Where the pool is in its life.</summary>
internal enum PoolPhase
{
    Starting,
    Open,
    Draining,
    Closed,
}
