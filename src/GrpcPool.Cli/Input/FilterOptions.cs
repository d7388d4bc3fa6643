using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using GrpcPool.Cli.Output;
using GrpcPool.V1;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace GrpcPool.Cli.Input;

/// <summary>The options that say which tasks are meant; all that is given must match.</summary>
internal static class FilterOptions
{
    private static readonly string[] StateNames = [.. Enum.GetValues<TaskState>().Where(static state => state != TaskState.Unspecified).Select(Wording.NameOf)];
    private static readonly Option<TaskState[]> States = StatesOption();
    private static readonly Option<string[]> Queues = Several("--queue", "name", "In this queue; may be repeated.");
    private static readonly Option<string[]> Kinds = Several("--kind", "kind", "Of this kind; may be repeated.");
    private static readonly Option<KeyValuePair<string, string>[]> Labels = Pairs.Option("--label", "team=blue", "With this label; may be repeated.");
    private static readonly Option<string?> SerialKey = new("--serial-key") { Description = "With this serial key.", HelpName = "key" };
    private static readonly Option<string?> Parent = new("--parent") { Description = "Submitted on behalf of this task.", HelpName = "id" };
    private static readonly Option<string?> FromSchedule = new("--schedule") { Description = "Submitted by this schedule.", HelpName = "id" };
    private static readonly Option<string?> Group = new("--group") { Description = "Of this group.", HelpName = "name" };
    private static readonly Option<Timestamp?> After = Times.PastOption("--submitted-after", "Submitted at this time or later; 2h means two hours ago.");
    private static readonly Option<Timestamp?> Before = Times.PastOption("--submitted-before", "Submitted before this time.");

    private static readonly Option[] All = [States, Queues, Kinds, Labels, SerialKey, Parent, FromSchedule, Group, After, Before];

    public static void AddTo(Command command)
    {
        foreach (Option option in All)
            command.Add(option);
    }

    public static bool AreGiven(CommandResult result) => Array.Exists(All, option => result.GetResult(option) is { Implicit: false });

    public static TaskFilter Read(ParseResult result)
    {
        var filter = new TaskFilter
        {
            States = { result.GetValue(States)! },
            Queues = { result.GetValue(Queues)! },
            Kinds = { result.GetValue(Kinds)! },
            SerialKey = result.GetValue(SerialKey) ?? "",
            ParentId = result.GetValue(Parent) ?? "",
            ScheduleId = result.GetValue(FromSchedule) ?? "",
            Group = result.GetValue(Group) ?? "",
            SubmittedAfter = result.GetValue(After),
            SubmittedBefore = result.GetValue(Before),
        };
        foreach ((string name, string value) in result.GetValue(Labels)!)
            filter.Labels[name] = value;
        return filter;
    }

    private static Option<string[]> Several(string name, string helpName, string description) => new(name)
    {
        Description = description,
        HelpName = helpName,
        AllowMultipleArgumentsPerToken = false,
        DefaultValueFactory = _ => [],
    };

    private static Option<TaskState[]> StatesOption()
    {
        var option = new Option<TaskState[]>("--state")
        {
            Description = $"In one of these states, such as failed,expired: {string.Join(", ", StateNames)}.",
            HelpName = "states",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
            CustomParser = ReadStates,
            DefaultValueFactory = _ => [],
        };
        option.CompletionSources.Add(_ => StateNames.Select(static name => new CompletionItem(name)));
        return option;
    }

    private static TaskState[] ReadStates(ArgumentResult result)
    {
        string[] names = [.. result.Tokens.SelectMany(static token => token.Value.ToLowerInvariant().Split(','))];
        foreach (string name in names.Except(StateNames))
            result.AddError($"--state {name} is no state; there are {string.Join(", ", StateNames)}.");
        return [.. names.Where(StateNames.Contains).Select(static name => Enum.Parse<TaskState>(name, ignoreCase: true))];
    }
}
