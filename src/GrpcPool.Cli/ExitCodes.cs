namespace GrpcPool.Cli;

/// <summary>What the process tells its caller.</summary>
internal static class ExitCodes
{
    public const int Ended = 0;
    public const int Fault = 1;
    public const int Usage = 2;
    public const int TaskFailed = 3;
    public const int TaskCancelled = 4;
    public const int TaskExpired = 5;
    public const int TaskUnfinished = 6;
    public const int Unreachable = 69;
    public const int TryAgain = 75;
    public const int Settings = 78;
    public const int Interrupted = 130;
}
