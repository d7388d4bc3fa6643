using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands.Schedules;

/// <summary><c>grpcpool schedule show</c></summary>
internal static class ShowScheduleCommand
{
    private const string Description = "Show all that is known of a schedule.";

    private const string Examples = """
        grpcpool schedule show daily
        grpcpool schedule show daily --output json
        """;

    public static Command Create()
    {
        ExemplifiedCommand command = ScheduleCommand.Sub("show", Description, Examples);
        command.Add(ScheduleCommand.Id);
        return command.AskServer(RunAsync);
    }

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        var request = new GetScheduleRequest { Id = result.GetValue(ScheduleCommand.Id) };
        Schedule schedule = (await client.Schedules().GetScheduleAsync(request, cancellationToken: interrupted).ConfigureAwait(false)).Schedule;
        if (OutputOption.Read(result) == OutputFormat.Table)
            Console.Out.Write(ScheduleOutput.Sheet(schedule));
        else
            ScheduleOutput.Write(OutputOption.Read(result), [schedule]);
        return ExitCodes.Ended;
    }
}
