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
        OneScheduleCommands.CreateShow(),
        UpdateScheduleCommand.Create(),
        SomeSchedulesCommands.CreatePause(),
        SomeSchedulesCommands.CreateResume(),
        OneScheduleCommands.CreateTrigger(),
        SomeSchedulesCommands.CreateDelete(),
        OneScheduleCommands.CreateUpcoming(),
    };

    public static ExemplifiedCommand Sub(string name, string description, string examples) => new(name, CommandGroups.Schedules, description, examples);

    public static ExemplifiedCommand Sub(string name, string description, string examples, Argument argument, params Option[] options)
    {
        ExemplifiedCommand command = Sub(name, description, examples);
        command.Add(argument);
        Array.ForEach(options, command.Add);
        return command;
    }

    public static ScheduleService.ScheduleServiceClient Schedules(this GrpcPoolClient client) => new(client.Invoker);
}
