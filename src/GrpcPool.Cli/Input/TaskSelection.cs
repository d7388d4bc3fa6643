using System.CommandLine;
using System.CommandLine.Parsing;
using GrpcPool.V1;

namespace GrpcPool.Cli.Input;

/// <summary>The tasks that a command is about: those of a list of ids, or those that match a filter.</summary>
/// <param name="Ids">The ids; empty where the filter decides.</param>
/// <param name="Filter">The filter, empty where there are ids.</param>
internal sealed record TaskSelection(IReadOnlyList<string> Ids, TaskFilter Filter)
{
    private static readonly Argument<string[]> IdArgument = new("ids") { Description = "The tasks' ids; or choose tasks by the options.", Arity = ArgumentArity.ZeroOrMore };

    /// <summary>Takes ids or a filter.</summary>
    /// <param name="command">The command.</param>
    /// <param name="needed">Whether it needs one of them; otherwise none stands for all tasks.</param>
    public static void AddTo(Command command, bool needed)
    {
        command.Add(IdArgument);
        FilterOptions.AddTo(command);
        command.Validators.Add(result => Check(result, needed));
    }

    public static TaskSelection Read(ParseResult result) => new(result.GetValue(IdArgument) ?? [], FilterOptions.Read(result));

    private static void Check(CommandResult result, bool needed)
    {
        bool hasIds = result.GetResult(IdArgument) is { Tokens.Count: > 0 };
        bool hasFilter = FilterOptions.AreGiven(result);
        if (hasIds && hasFilter)
            result.AddError("Give ids or the options that choose tasks, not both.");
        else if (needed && !hasIds && !hasFilter)
            result.AddError("Say which tasks: give ids, or choose by options such as --queue or --state.");
    }
}
