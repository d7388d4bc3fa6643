using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using GrpcPool.Cli.Output;

namespace GrpcPool.Cli;

/// <summary>A command with examples of its use.</summary>
/// <param name="name">Its name.</param>
/// <param name="group">What it belongs to: the heading under which the help lists it.</param>
/// <param name="description">What it does; the first sentence stands for all of it in lists.</param>
/// <param name="examples">A line for each.</param>
internal sealed class ExemplifiedCommand(string name, string group, string description, string examples) : Command(name, description)
{
    public string Group { get; } = group;

    public string Examples { get; } = examples;

    public string Summary => Description!.Split([". ", ": ", ".\n", "\n"], 2, StringSplitOptions.None)[0].TrimEnd('.');
}

/// <summary>The usual help of a command, with its examples at the end; the root's has the commands in groups.</summary>
internal sealed class CommandHelp(string rootExamples) : SynchronousCommandLineAction
{
    private readonly HelpAction _usual = new();

    public override bool ClearsParseErrors => true;

    /// <summary>Makes this the help of a whole command line.</summary>
    public CommandHelp AddTo(RootCommand root)
    {
        root.Options.OfType<HelpOption>().Single().Action = this;
        return this;
    }

    public override int Invoke(ParseResult parseResult)
    {
        TextWriter output = parseResult.InvocationConfiguration.Output;
        Command command = parseResult.CommandResult.Command;
        if (command is RootCommand root)
            output.Write(Describe(root));
        else
            _usual.Invoke(parseResult);
        output.WriteLine("Examples:");
        foreach (string line in ((command as ExemplifiedCommand)?.Examples ?? rootExamples).Split('\n'))
            output.WriteLine($"  {line}");
        return ExitCodes.Ended;
    }

    private static string Describe(RootCommand root)
    {
        var columns = new TextColumns();
        foreach (IGrouping<string, ExemplifiedCommand> group in root.Subcommands.OfType<ExemplifiedCommand>().GroupBy(static command => command.Group))
        {
            columns.Add($"{group.Key}:");
            foreach (ExemplifiedCommand command in group)
                columns.Add($"  {command.Name}", command.Summary);
            columns.Add("");
        }

        return $"{root.Description}\n\nUsage:\n  grpcpool <command> [options]\n  grpcpool <command> --help\n  grpcpool --version\n\n{columns}";
    }
}
