namespace GrpcPool.Core.Tasks;

/// <summary>Why a task waits, as found out when asked. The numbers are those of the contract.</summary>
internal enum WaitingReason
{
    NotDue = 1,
    Backoff = 2,
    QueuePaused = 3,
    PoolFull = 4,
    QueueLimit = 5,
    SerialKeyBusy = 6,
    NoWorker = 7,
    After = 8,
    RateLimited = 9,
    Draining = 10,
}
