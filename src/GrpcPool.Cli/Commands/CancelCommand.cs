using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool cancel</c></summary>
internal static class CancelCommand
{
    private const string Description = """
        Cancel tasks: those of a list of ids, or all that match and have not ended.
        One that waits is cancelled at once; one that runs is told to stop, and stopped by force after --force-after. Use wait to see its end.
        """;

    private const string Examples = """
        grpcpool cancel order-7
        grpcpool cancel order-7 order-8 --reason "out of stock" --force-after 2s
        grpcpool cancel --queue mail --label team=blue --dry-run
        grpcpool cancel --state queued,scheduled --submitted-before 1h
        """;

    private static readonly Option<string?> Reason = new("--reason") { Description = "Why, for whoever looks at the tasks.", HelpName = "text" };
    private static readonly Option<Duration?> ForceAfter = Spans.Option("--force-after", "After what time a running task is stopped by force, 10s by default.");

    public static Command Create()
    {
        var command = new ExemplifiedCommand("cancel", CommandGroups.Changing, Description, Examples);
        TaskSelection.AddTo(command, needed: true);
        command.Add(Reason);
        command.Add(ForceAfter);
        DryRun.AddTo(command);
        return command.AskServer(RunAsync);
    }

    private static Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        TaskSelection selection = TaskSelection.Read(result);
        return selection.Ids.Count == 0
            ? CancelMatchingAsync(result, client, selection.Filter, interrupted)
            : EachTask.CallAsync(result, selection.Ids, id => CancelAsync(result, client, id, interrupted));
    }

    private static async Task CancelAsync(ParseResult result, GrpcPoolClient client, string id, CancellationToken interrupted)
    {
        var request = new CancelRequest { Id = id, Reason = result.GetValue(Reason) ?? "", ForceAfter = result.GetValue(ForceAfter) };
        CancelResponse answer = await client.Service.CancelAsync(request, cancellationToken: interrupted).ConfigureAwait(false);
        TaskOutput.Write(OutputOption.Read(result), [answer.Task], heading: false);
    }

    private static async Task<int> CancelMatchingAsync(ParseResult result, GrpcPoolClient client, TaskFilter filter, CancellationToken interrupted)
    {
        var request = new CancelMatchingRequest
        {
            Filter = filter,
            Reason = result.GetValue(Reason) ?? "",
            ForceAfter = result.GetValue(ForceAfter),
            DryRun = result.GetValue(DryRun.Option),
        };
        CancelMatchingResponse answer = await client.Service.CancelMatchingAsync(request, cancellationToken: interrupted).ConfigureAwait(false);
        MatchOutput.Write(OutputOption.Read(result), answer, answer.Cancelled, request.DryRun ? "would be cancelled" : "cancelled or told to stop");
        return ExitCodes.Ended;
    }
}
