using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Google.Protobuf.WellKnownTypes;

namespace GrpcPool.Cli.Input;

/// <summary>How a point in time is written: <c>2026-03-01T08:00</c>, of this machine's zone unless it names one.</summary>
internal static class Times
{
    /// <summary>An option that takes a point in time; null where it is not given.</summary>
    public static Option<Timestamp?> Option(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "when",
        CustomParser = result => Parse(result, name, ago: false),
    };

    /// <summary>An option that takes a point in time, or how long ago it was.</summary>
    public static Option<Timestamp?> PastOption(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "when",
        CustomParser = result => Parse(result, name, ago: true),
    };

    private static Timestamp? Parse(ArgumentResult result, string name, bool ago)
    {
        string text = result.Tokens[0].Value;
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        if (ago && Spans.TryParse(text, out TimeSpan span) && span < now - DateTimeOffset.UnixEpoch)
            return Timestamp.FromDateTimeOffset(now - span);
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out DateTimeOffset time))
            return Timestamp.FromDateTimeOffset(time);

        result.AddError($"{name} {text} is no point in time; write it like 2026-03-01T08:00 or 2026-03-01T08:00:00Z{(ago ? ", or like 2h for two hours ago" : "")}.");
        return null;
    }
}
