using GrpcPool.Cli.Output;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands.Demo;

/// <summary>A task of the demo, and the end that it should have.</summary>
internal sealed record DemoTask(TaskSpec Spec)
{
    public TaskState End { get; init; } = TaskState.Succeeded;

    /// <summary>How many attempts it should take.</summary>
    public int Attempts { get; init; } = 1;

    /// <summary>Why it should fail.</summary>
    public FailureCode Failure { get; init; }

    /// <summary>What its result should be.</summary>
    public Proof Proof { get; init; } = Proof.None;

    /// <summary>When the demo cancels it; null for never.</summary>
    public Predicate<TaskInfo>? CancelWhen { get; init; }

    public string Id => Spec.Id;

    /// <summary>What is wrong with the end it had; null when it is as it should be.</summary>
    public string? Complaint(TaskInfo info)
    {
        if (info.State != End)
            return $"should have been {Wording.Of(End)}";
        if (info.Attempt != Attempts)
            return $"should have taken {Wording.Count(Attempts, "attempt")}";
        if (info.Failure is { } failure && failure.Code != Failure)
            return $"should have failed with {Failure}, not {failure.Code}";
        return End != TaskState.Succeeded || Proof.Holds(info.Result.Memory) ? null : "the result is wrong";
    }
}

/// <summary>What a result should be.</summary>
/// <param name="Holds">Whether it is that.</param>
/// <param name="Describe">Says it in a few words.</param>
internal sealed record Proof(Predicate<ReadOnlyMemory<byte>> Holds, Func<ReadOnlyMemory<byte>, string> Describe)
{
    public static Proof None { get; } = new(_ => true, _ => "");
}
