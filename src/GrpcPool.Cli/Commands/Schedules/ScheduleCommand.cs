using System.CommandLine;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands.Schedules;

/// <summary><c>grpcpool schedule</c></summary>
internal static class ScheduleCommand
{
    private const string Description = "Submit tasks on a timetable. What is due fires once, over crashes and restarts; docs/schedules.md tells the rules.";

    private const string Examples = """
        grpcpool schedule create nightly echo hello --cron "30 2 * * *" --zone Europe/Berlin
        grpcpool schedule list
        grpcpool schedule upcoming nightly
        grpcpool schedule trigger nightly
        grpcpool schedule delete nightly --cancel-tasks
        """;

    public static Argument<string> Id { get; } = new("id") { Description = "The schedule's id." };

    public static Argument<string[]> Ids { get; } = new("ids") { Description = "The schedules' ids.", Arity = ArgumentArity.OneOrMore };

    public static Command Create() => new ExemplifiedCommand("schedule", CommandGroups.Schedules, Description, Examples)
    {
        CreateScheduleCommand.Create(),
        ListSchedulesCommand.Create(),
        ShowScheduleCommand.Create(),
        UpdateScheduleCommand.Create(),
        PauseScheduleCommand.Create(),
        PauseScheduleCommand.CreateResume(),
        TriggerScheduleCommand.Create(),
        DeleteScheduleCommand.Create(),
        UpcomingCommand.Create(),
    };

    public static ExemplifiedCommand Sub(string name, string description, string examples) => new(name, CommandGroups.Schedules, description, examples);

    public static ScheduleService.ScheduleServiceClient Schedules(this GrpcPoolClient client) => new(client.Invoker);
}
