using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands.Schedules;

/// <summary><c>grpcpool schedule trigger</c></summary>
internal static class TriggerScheduleCommand
{
    private const string Description = "Submit a schedule's task now and print it, whatever else of it runs. Its timetable goes on as before.";

    private const string Examples = """
        grpcpool schedule trigger daily
        grpcpool schedule trigger daily --output id | xargs grpcpool wait
        """;

    public static Command Create()
    {
        ExemplifiedCommand command = ScheduleCommand.Sub("trigger", Description, Examples);
        command.Add(ScheduleCommand.Id);
        return command.AskServer(RunAsync);
    }

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        var request = new TriggerScheduleRequest { Id = result.GetValue(ScheduleCommand.Id) };
        TaskOutput.Write(OutputOption.Read(result), (await client.Schedules().TriggerScheduleAsync(request, cancellationToken: interrupted).ConfigureAwait(false)).Task);
        return ExitCodes.Ended;
    }
}
