using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Output;
using GrpcPool.V1;
using ScheduleClient = GrpcPool.V1.ScheduleService.ScheduleServiceClient;

namespace GrpcPool.Cli.Commands.Schedules;

/// <summary>The commands about one schedule: <c>grpcpool schedule show</c>, <c>trigger</c> and <c>upcoming</c>.</summary>
internal static class OneScheduleCommands
{
    private static readonly Option<int> Count = new("--count") { Description = "How many times at most.", HelpName = "number", DefaultValueFactory = _ => 10 };

    /// <param name="result">What was asked for.</param>
    /// <param name="client">The server.</param>
    /// <param name="id">Which schedule.</param>
    /// <param name="interrupted">Fires when somebody presses Ctrl-C.</param>
    private delegate Task Run(ParseResult result, ScheduleClient client, string id, CancellationToken interrupted);

    public static Command CreateShow() => Create("show", "Show all that is known of a schedule.", """
        grpcpool schedule show daily
        grpcpool schedule show daily --output json
        """, ShowAsync);

    public static Command CreateTrigger() => Create("trigger", "Submit a schedule's task now and print it, whatever else of it runs. Its timetable goes on as before.", """
        grpcpool schedule trigger daily
        grpcpool schedule trigger daily --output id | xargs grpcpool wait
        """, TriggerAsync);

    public static Command CreateUpcoming() => Create("upcoming", "Print when a schedule fires next, a line for each time.", """
        grpcpool schedule upcoming daily
        grpcpool schedule upcoming daily --count 30 --output json
        """, ListUpcomingAsync, Count);

    private static async Task ShowAsync(ParseResult result, ScheduleClient client, string id, CancellationToken interrupted)
    {
        Schedule schedule = (await client.GetScheduleAsync(new GetScheduleRequest { Id = id }, cancellationToken: interrupted).ConfigureAwait(false)).Schedule;
        if (OutputOption.Read(result) == OutputFormat.Table)
            Console.Out.Write(ScheduleOutput.Sheet(schedule));
        else
            ScheduleOutput.Write(OutputOption.Read(result), [schedule]);
    }

    private static async Task TriggerAsync(ParseResult result, ScheduleClient client, string id, CancellationToken interrupted) =>
        TaskOutput.Write(OutputOption.Read(result), (await client.TriggerScheduleAsync(new TriggerScheduleRequest { Id = id }, cancellationToken: interrupted).ConfigureAwait(false)).Task);

    private static async Task ListUpcomingAsync(ParseResult result, ScheduleClient client, string id, CancellationToken interrupted)
    {
        var request = new ListUpcomingRequest { Id = id, Count = result.GetValue(Count) };
        ListUpcomingResponse upcoming = await client.ListUpcomingAsync(request, cancellationToken: interrupted).ConfigureAwait(false);
        if (OutputOption.Read(result) == OutputFormat.Json)
            Console.Out.WriteLine(TaskOutput.ToJson(upcoming));
        else
            Console.Out.Write(string.Concat(upcoming.Times.Select(static time => $"{Wording.Time(time)}\n")));
    }

    private static Command Create(string name, string description, string examples, Run run, params Option[] options)
    {
        ExemplifiedCommand command = ScheduleCommand.Sub(name, description, examples, ScheduleCommand.Id, options);
        return command.AskServer(async (result, client, interrupted) =>
        {
            await run(result, client.Schedules(), result.GetValue(ScheduleCommand.Id)!, interrupted).ConfigureAwait(false);
            return ExitCodes.Ended;
        });
    }
}
