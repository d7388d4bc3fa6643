using System.CommandLine;
using System.CommandLine.Parsing;

namespace GrpcPool.Cli.Input;

/// <summary>Options of the form <c>key=value</c>, which may be repeated.</summary>
internal static class Pairs
{
    /// <param name="name">The option.</param>
    /// <param name="example">A pair, for the message about a wrong one.</param>
    /// <param name="description">What it is for.</param>
    public static Option<KeyValuePair<string, string>[]> Option(string name, string example, string description) => new(name)
    {
        Description = description,
        HelpName = "key=value",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
        CustomParser = result => Parse(result, name, example),
        DefaultValueFactory = _ => [],
    };

    private static KeyValuePair<string, string>[] Parse(ArgumentResult result, string name, string example)
    {
        foreach (Token token in result.Tokens.Where(static token => token.Value.IndexOf('=', StringComparison.Ordinal) < 1))
            result.AddError($"{name} {token.Value} has no key and value; write {name} {example}.");
        IEnumerable<string[]> pairs = result.Tokens.Select(static token => token.Value.Split('=', 2)).Where(static pair => pair.Length == 2);
        return [.. pairs.Select(static pair => KeyValuePair.Create(pair[0], pair[1]))];
    }
}
