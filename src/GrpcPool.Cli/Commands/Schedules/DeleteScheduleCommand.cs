using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands.Schedules;

/// <summary><c>grpcpool schedule delete</c></summary>
internal static class DeleteScheduleCommand
{
    private const string Description = "Forget schedules, for good: they fire no more. Their tasks stay, unless they shall be cancelled.";

    private const string Examples = """
        grpcpool schedule delete daily
        grpcpool schedule list --output id | xargs --no-run-if-empty grpcpool schedule delete --cancel-tasks
        """;

    private static readonly Option<bool> CancelTasks = new("--cancel-tasks") { Description = "Cancel their tasks that wait or run." };

    public static Command Create()
    {
        ExemplifiedCommand command = ScheduleCommand.Sub("delete", Description, Examples);
        command.Add(ScheduleCommand.Ids);
        command.Add(CancelTasks);
        return command.AskServer(RunAsync);
    }

    private static Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted) =>
        EachTask.CallAsync(result, result.GetValue(ScheduleCommand.Ids)!, async id =>
        {
            var request = new DeleteScheduleRequest { Id = id, CancelTasks = result.GetValue(CancelTasks) };
            DeleteScheduleResponse deleted = await client.Schedules().DeleteScheduleAsync(request, cancellationToken: interrupted).ConfigureAwait(false);
            Console.Out.WriteLine(OutputOption.Read(result) switch
            {
                OutputFormat.Json => TaskOutput.ToJson(deleted),
                OutputFormat.Id => id,
                _ => request.CancelTasks ? $"{id} deleted, {Wording.Count(deleted.Cancelled, "task")} cancelled" : $"{id} deleted",
            });
        });
}
