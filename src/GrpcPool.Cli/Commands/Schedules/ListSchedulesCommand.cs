using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands.Schedules;

/// <summary><c>grpcpool schedule list</c></summary>
internal static class ListSchedulesCommand
{
    private const string Description = "List all schedules with their next and last runs.";

    private const string Examples = """
        grpcpool schedule list
        grpcpool schedule list --output json
        """;

    public static Command Create() => ScheduleCommand.Sub("list", Description, Examples).AskServer(RunAsync);

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        var request = new ListSchedulesRequest { PageSize = 1000 };
        bool isFirst = true;
        do
        {
            ListSchedulesResponse page = await client.Schedules().ListSchedulesAsync(request, cancellationToken: interrupted).ConfigureAwait(false);
            ScheduleOutput.Write(OutputOption.Read(result), page.Schedules, isFirst);
            (isFirst, request.PageToken) = (false, page.NextPageToken);
        }
        while (request.PageToken.Length > 0);
        return ExitCodes.Ended;
    }
}
