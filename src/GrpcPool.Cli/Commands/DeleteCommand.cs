using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool delete</c></summary>
internal static class DeleteCommand
{
    private const string Description = "Forget finished tasks with their results. Their ids are free again. One that has not ended is refused: cancel it first.";

    private const string Examples = """
        grpcpool delete order-7
        grpcpool list --state failed --output id | xargs grpcpool delete
        """;

    public static Command Create() => new ExemplifiedCommand("delete", CommandGroups.Changing, Description, Examples) { TaskIds.Some }.AskServer(RunAsync);

    private static Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted) =>
        EachTask.CallAsync(result, result.GetValue(TaskIds.Some)!, async id =>
        {
            await client.Service.DeleteAsync(new DeleteRequest { Id = id }, cancellationToken: interrupted).ConfigureAwait(false);
            Console.Out.WriteLine(OutputOption.Read(result) switch
            {
                OutputFormat.Json => TaskOutput.ToJson(new DeleteRequest { Id = id }),
                OutputFormat.Id => id,
                _ => $"{id} deleted",
            });
        });
}
