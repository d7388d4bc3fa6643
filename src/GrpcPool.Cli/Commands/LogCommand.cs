using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Cli.Watching;
using GrpcPool.Client;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool log</c></summary>
internal static class LogCommand
{
    private const string Description = """
        Print the log of a task, byte for byte: what its handler wrote, such as the standard error of a command.
        With --follow it goes on until the task has ended, or until Ctrl-C (exit code 130). Of a long log the server keeps the end.
        """;

    private const string Examples = """
        grpcpool log order-7
        grpcpool log order-7 --follow
        """;

    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on as the log grows, to the end of the task." };

    public static Command Create() =>
        new ExemplifiedCommand("log", CommandGroups.Watching, Description, Examples) { TaskIds.One, Follow }.AskServer(RunAsync, answers: false);

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        var log = new TaskLog(client.Service, result.GetValue(TaskIds.One)!);
        Stream output = StandardOutput.Open();
        await using (output.ConfigureAwait(false))
        {
            await log.ReadAsync(result.GetValue(Follow), output.Write, interrupted).ConfigureAwait(false);
        }

        if (log.Missed > 0)
            await Console.Error.WriteLineAsync($"grpcpool: {Wording.Count(log.Missed, "byte")} of the log are no longer kept.").ConfigureAwait(false);
        return ExitCodes.Ended;
    }
}
