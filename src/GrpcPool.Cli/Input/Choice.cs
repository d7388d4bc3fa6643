using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;

namespace GrpcPool.Cli.Input;

/// <summary>Options that take one of a few words.</summary>
internal static class Choice
{
    /// <summary>An option whose value is that of the word; the type's default where it is not given.</summary>
    public static Option<T> Option<T>(string name, string description, params (string Word, T Value)[] choices)
        where T : struct
    {
        string[] words = [.. choices.Select(static choice => choice.Word)];
        var option = new Option<T>(name) { Description = description, HelpName = string.Join('|', words), CustomParser = Read };
        // The names of an enum itself would be refused.
        option.CompletionSources.Clear();
        option.CompletionSources.Add(_ => words.Select(static word => new CompletionItem(word)));
        return option;

        T Read(ArgumentResult result)
        {
            int index = Array.IndexOf(words, result.Tokens[0].Value);
            if (index < 0)
                result.AddError($"{name} {result.Tokens[0].Value} is none of {string.Join(", ", words)}.");
            return choices[Math.Max(index, 0)].Value;
        }
    }
}
