using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands.Schedules;

/// <summary><c>grpcpool schedule upcoming</c></summary>
internal static class UpcomingCommand
{
    private const string Description = "Print when a schedule fires next, a line for each time.";

    private const string Examples = """
        grpcpool schedule upcoming daily
        grpcpool schedule upcoming daily --count 30 --output json
        """;

    private static readonly Option<int> Count = new("--count") { Description = "How many times at most.", HelpName = "number", DefaultValueFactory = _ => 10 };

    public static Command Create()
    {
        ExemplifiedCommand command = ScheduleCommand.Sub("upcoming", Description, Examples);
        command.Add(ScheduleCommand.Id);
        command.Add(Count);
        return command.AskServer(RunAsync);
    }

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        var request = new ListUpcomingRequest { Id = result.GetValue(ScheduleCommand.Id), Count = result.GetValue(Count) };
        ListUpcomingResponse upcoming = await client.Schedules().ListUpcomingAsync(request, cancellationToken: interrupted).ConfigureAwait(false);
        if (OutputOption.Read(result) == OutputFormat.Json)
            Console.Out.WriteLine(TaskOutput.ToJson(upcoming));
        else
            Console.Out.Write(string.Concat(upcoming.Times.Select(static time => $"{Wording.Time(time)}\n")));
        return ExitCodes.Ended;
    }
}
