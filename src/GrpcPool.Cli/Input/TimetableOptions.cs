using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using GrpcPool.V1;
using Duration = Google.Protobuf.WellKnownTypes.Duration;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace GrpcPool.Cli.Input;

/// <summary>The options that say when a schedule is due, and what becomes of due times that cannot be.</summary>
internal static class TimetableOptions
{
    private static readonly Option<string?> Cron = new("--cron") { Description = "A cron expression of 5 fields, or 6 with the seconds first, such as \"30 2 * * *\".", HelpName = "expression" };
    private static readonly Option<string?> Zone = new("--zone") { Description = "The time zone of --cron, such as Europe/Berlin; UTC by default.", HelpName = "zone" };
    private static readonly Option<Duration?> Every = Spans.Option("--every", "From start to start, such as 10m.");
    private static readonly Option<Duration?> Pause = Spans.Option("--pause", "From the end of one run to the start of the next.");
    private static readonly Option<Timestamp?> Start = Times.Option("--start-at", "No due time before this.");
    private static readonly Option<Timestamp?> End = Times.Option("--end-at", "No due time after this.");
    private static readonly Option<long?> MaxRuns = new("--max-runs") { Description = "How many runs there are at most; 0 for no bound.", HelpName = "number" };
    private static readonly Option<Duration?> Jitter = Spans.Option("--start-jitter", "By how much a firing is put off at most.");
    private static readonly Option<OverlapPolicy?> Overlap = Policy<OverlapPolicy>("--overlap", "What becomes of a due time while a task of the schedule has not ended");
    private static readonly Option<CatchUp?> Missed = Policy<CatchUp>("--catch-up", "What becomes of due times that passed while nobody could fire them");

    public static void AddTo(Command command, bool needed)
    {
        Option[] options = [Cron, Zone, Every, Pause, Start, End, MaxRuns, Jitter, Overlap, Missed];
        foreach (Option option in options)
            command.Add(option);
        command.Validators.Add(result => Check(result, needed));
    }

    /// <summary>Sets what is given.</summary>
    public static void Apply(ParseResult result, Schedule schedule)
    {
        if (result.GetValue(Cron) is { } cron)
            schedule.Cron = new Cron { Expression = cron, TimeZone = schedule.Cron?.TimeZone ?? "" };
        if (result.GetValue(Zone) is { } zone)
            schedule.Cron = new Cron { Expression = schedule.Cron?.Expression ?? "", TimeZone = zone };
        if (result.GetValue(Every) is { } every)
            schedule.FixedRate = every;
        if (result.GetValue(Pause) is { } pause)
            schedule.FixedDelay = pause;
        schedule.StartAt = result.GetValue(Start) ?? schedule.StartAt;
        schedule.EndAt = result.GetValue(End) ?? schedule.EndAt;
        schedule.MaxRuns = result.GetValue(MaxRuns) ?? schedule.MaxRuns;
        schedule.Jitter = result.GetValue(Jitter) ?? schedule.Jitter;
        schedule.Overlap = result.GetValue(Overlap) ?? schedule.Overlap;
        schedule.CatchUp = result.GetValue(Missed) ?? schedule.CatchUp;
    }

    private static void Check(CommandResult result, bool needed)
    {
        int given = ((Option[])[Cron, Every, Pause]).Count(option => result.GetResult(option) is not null);
        if (given > 1 || (needed && given == 0))
            result.AddError("Give one of --cron, --every and --pause.");
        if (result.GetResult(Zone) is not null && (result.GetResult(Every) ?? result.GetResult(Pause)) is not null)
            result.AddError("--zone is for --cron.");
    }

    /// <summary>The name of a policy as it is written on the command line.</summary>
    public static string NameOf<T>(T policy)
        where T : struct, Enum => string.Concat(policy.ToString().Select(static (c, i) => char.IsUpper(c) ? $"{(i > 0 ? "-" : "")}{char.ToLowerInvariant(c)}" : $"{c}"));

    private static Option<T?> Policy<T>(string name, string description)
        where T : struct, Enum
    {
        T[] policies = [.. Enum.GetValues<T>().Where(static policy => Convert.ToInt32(policy, System.Globalization.CultureInfo.InvariantCulture) > 0)];
        string[] names = [.. policies.Select(NameOf)];
        var option = new Option<T?>(name)
        {
            Description = $"{description}: {string.Join(", ", names)}; skip by default.",
            HelpName = "policy",
            CustomParser = result =>
            {
                int index = Array.IndexOf(names, result.Tokens[0].Value.ToLowerInvariant());
                if (index < 0)
                    result.AddError($"{name} {result.Tokens[0].Value} is no policy; there are {string.Join(", ", names)}.");
                return index < 0 ? null : policies[index];
            },
        };
        option.CompletionSources.Clear();
        option.CompletionSources.Add(_ => names.Select(static policy => new CompletionItem(policy)));
        return option;
    }
}
