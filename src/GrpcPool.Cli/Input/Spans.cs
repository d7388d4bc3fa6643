using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.RegularExpressions;
using Google.Protobuf.WellKnownTypes;

namespace GrpcPool.Cli.Input;

/// <summary>How a span of time is written: <c>1.5s</c>, <c>10m</c>, <c>1h30m</c>, <c>00:01:30</c>, or a number of seconds.</summary>
internal static partial class Spans
{
    private const string Examples = "1.5s, 10m, 1h30m, 1d or 00:01:30";

    /// <summary>An option that takes a span; null where it is not given.</summary>
    public static Option<Duration?> Option(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "time",
        CustomParser = result => Parse(result, name),
    };

    public static bool TryParse(string text, out TimeSpan span)
    {
        if (text.Contains(':', StringComparison.Ordinal))
            return TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out span) && span >= TimeSpan.Zero;

        Match match = Parts().Match(text);
        double seconds = match.Success ? SecondsOf(match) : double.NaN;
        bool fits = seconds <= TimeSpan.MaxValue.TotalSeconds / 2;
        span = fits ? TimeSpan.FromSeconds(seconds) : default;
        return fits;
    }

    private static Duration? Parse(ArgumentResult result, string name)
    {
        string text = result.Tokens[0].Value;
        if (TryParse(text, out TimeSpan span))
            return Duration.FromTimeSpan(span);

        result.AddError($"{name} {text} is no span of time; write it like {Examples}.");
        return null;
    }

    private static double SecondsOf(Match match) => match.Groups["number"].Captures
        .Zip(match.Groups["unit"].Captures, static (number, unit) => double.Parse(number.ValueSpan, CultureInfo.InvariantCulture) * SecondsOf(unit.Value))
        .Sum();

    private static double SecondsOf(string unit) => unit switch
    {
        "ms" => 0.001,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => 1,
    };

    [GeneratedRegex(@"^(?:(?<number>\d+(\.\d+)?)(?<unit>ms|s|m|h|d))+$|^(?<number>\d+(\.\d+)?)(?<unit>)$", RegexOptions.ExplicitCapture)]
    private static partial Regex Parts();
}
