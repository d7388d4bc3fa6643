using System.CommandLine;

namespace GrpcPool.Cli.Input;

/// <summary>Tasks named by their ids.</summary>
internal static class TaskIds
{
    public static Argument<string> One { get; } = new("id") { Description = "The task's id." };

    public static Argument<string[]> Some { get; } = new("ids") { Description = "The tasks' ids.", Arity = ArgumentArity.OneOrMore };
}
