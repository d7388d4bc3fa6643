namespace GrpcPool.Core.Tasks;

/// <summary>What becomes of a task where one of those after which it is to run ends without success. The numbers are those of the contract.</summary>
internal enum AfterPolicy
{
    /// <summary>It is cancelled.</summary>
    Cancel = 1,

    /// <summary>It runs when all of them have ended.</summary>
    RunAnyway = 2,
}
