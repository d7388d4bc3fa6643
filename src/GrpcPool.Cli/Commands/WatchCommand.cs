using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Cli.Watching;
using GrpcPool.Client;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool watch</c></summary>
internal static class WatchCommand
{
    private const string Description = """
        Follow tasks: those of a list of ids until all have ended, or those that match until Ctrl-C (exit code 130).
        Without ids it begins with the tasks that have not ended, or with those of --state. It goes on over broken connections.
        On a terminal it draws a table with progress bars; redirected, or with NO_COLOR set, it prints a line per change.
        """;

    private const string Examples = """
        grpcpool watch order-7 order-8
        grpcpool watch
        grpcpool watch --queue mail --label team=blue
        grpcpool watch order-7 --output json
        """;

    public static Command Create()
    {
        var command = new ExemplifiedCommand("watch", CommandGroups.Watching, Description, Examples);
        TaskSelection.AddTo(command, needed: false);
        return command.AskServer(RunAsync);
    }

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        IAsyncEnumerable<TaskEvent> feed = await TaskFeed.OfAsync(client, TaskSelection.Read(result), interrupted).ConfigureAwait(false);
        await TaskFeed.ShowAsync(OutputOption.Read(result), feed).ConfigureAwait(false);
        return ExitCodes.Ended;
    }
}
