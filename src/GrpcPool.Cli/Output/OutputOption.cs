using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;

namespace GrpcPool.Cli.Output;

/// <summary>How answers are written.</summary>
internal enum OutputFormat
{
    /// <summary>For people.</summary>
    Table,

    /// <summary>One object per line: the contract's messages as proto3 JSON.</summary>
    Json,

    /// <summary>Ids alone, one per line.</summary>
    Id,
}

/// <summary>The option that chooses it.</summary>
internal static class OutputOption
{
    private static readonly string[] Names = [.. Enum.GetNames<OutputFormat>().Select(static name => name.ToLowerInvariant())];

    public static Option<OutputFormat> Option { get; } = Create();

    public static OutputFormat Read(ParseResult result) => result.GetValue(Option);

    /// <summary>The format, where one was asked for.</summary>
    public static OutputFormat? ReadGiven(ParseResult result) => result.GetResult(Option) is not null ? Read(result) : null;

    private static Option<OutputFormat> Create()
    {
        var option = new Option<OutputFormat>("--output", "-o")
        {
            Description = "How to write the answer: a table for people (the default), JSON with one object per line, or ids alone.",
            HelpName = string.Join('|', Names),
            CustomParser = Parse,
        };
        // The names of the enum itself would be refused.
        option.CompletionSources.Clear();
        option.CompletionSources.Add(_ => Names.Select(static name => new CompletionItem(name)));
        return option;
    }

    private static OutputFormat Parse(ArgumentResult result)
    {
        int index = Array.IndexOf(Names, result.Tokens[0].Value);
        if (index < 0)
            result.AddError($"--output {result.Tokens[0].Value} is no format; there are {string.Join(", ", Names)}.");
        return (OutputFormat)Math.Max(index, 0);
    }
}
