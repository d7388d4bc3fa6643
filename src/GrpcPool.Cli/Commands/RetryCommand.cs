using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool retry</c></summary>
internal static class RetryCommand
{
    private const string Description = "Run failed, cancelled or expired tasks again: those of a list of ids, or all that match. Their attempts are counted anew.";

    private const string Examples = """
        grpcpool retry order-7
        grpcpool retry --state failed --kind echo --dry-run
        grpcpool retry --state failed,expired --submitted-after 1d
        """;

    public static Command Create()
    {
        var command = new ExemplifiedCommand("retry", CommandGroups.Changing, Description, Examples);
        TaskSelection.AddTo(command, needed: true);
        DryRun.AddTo(command);
        return command.AskServer(RunAsync);
    }

    private static Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        TaskSelection selection = TaskSelection.Read(result);
        return selection.Ids.Count == 0
            ? RetryMatchingAsync(result, client, selection.Filter, interrupted)
            : EachTask.CallAsync(result, selection.Ids, id => RetryAsync(result, client, id, interrupted));
    }

    private static async Task RetryAsync(ParseResult result, GrpcPoolClient client, string id, CancellationToken interrupted)
    {
        RetryResponse answer = await client.Service.RetryAsync(new RetryRequest { Id = id }, cancellationToken: interrupted).ConfigureAwait(false);
        TaskOutput.Write(OutputOption.Read(result), [answer.Task], heading: false);
    }

    private static async Task<int> RetryMatchingAsync(ParseResult result, GrpcPoolClient client, TaskFilter filter, CancellationToken interrupted)
    {
        var request = new RetryMatchingRequest { Filter = filter, DryRun = result.GetValue(DryRun.Option) };
        RetryMatchingResponse answer = await client.Service.RetryMatchingAsync(request, cancellationToken: interrupted).ConfigureAwait(false);
        MatchOutput.Write(OutputOption.Read(result), answer, answer.Retried, request.DryRun ? "would run again" : "will run again");
        return ExitCodes.Ended;
    }
}
