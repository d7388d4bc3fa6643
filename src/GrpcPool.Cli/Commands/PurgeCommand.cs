using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool purge</c>, and <c>grpcpool queue purge</c></summary>
internal static class PurgeCommand
{
    private const string Description = """
        Cancel all that waits in a queue, in this namespace; what runs goes on.
        It asks before it does so, or wants --yes where nobody can be asked. Exit codes: 0 done, 1 not confirmed.
        """;

    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only count the tasks." };
    private static readonly Option<string> Reason = new("--reason") { Description = "Why, for the cancelled tasks to show.", HelpName = "text", DefaultValueFactory = static _ => "" };

    /// <param name="spelling">How it is called.</param>
    public static Command Create(string spelling = "grpcpool purge")
    {
        string examples = $"{spelling} newsletters --dry-run\n{spelling} newsletters --yes --reason \"sent by hand\"";
        return new ExemplifiedCommand("purge", CommandGroups.Operating, Description, examples) { QueueName.Argument, Yes, DryRun, Reason }.AskServer(RunAsync);
    }

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        var request = new PurgeQueueRequest { Queue = result.GetValue(QueueName.Argument)!, Reason = result.GetValue(Reason), DryRun = result.GetValue(DryRun) };
        if (!request.DryRun && !result.GetValue(Yes))
        {
            if (Console.IsInputRedirected)
            {
                await Console.Error.WriteLineAsync("grpcpool: nobody can be asked here: repeat it with --yes, or with --dry-run to count first.").ConfigureAwait(false);
                return ExitCodes.Usage;
            }

            var count = new PurgeQueueRequest { Queue = request.Queue, DryRun = true };
            long waiting = (await client.Admin().PurgeQueueAsync(count, cancellationToken: interrupted).ConfigureAwait(false)).Cancelled;
            if (!await IsConfirmedAsync($"Cancel {Wording.Count(waiting, "waiting task")} of {request.Queue}?", interrupted).ConfigureAwait(false))
                return ExitCodes.Fault;
        }

        PurgeQueueResponse purged = await client.Admin().PurgeQueueAsync(request, cancellationToken: interrupted).ConfigureAwait(false);
        MatchOutput.Write(OutputOption.Read(result), purged, purged.Cancelled, request.DryRun ? "would be cancelled" : "cancelled");
        return ExitCodes.Ended;
    }

    private static async Task<bool> IsConfirmedAsync(string question, CancellationToken interrupted)
    {
        await Console.Error.WriteAsync($"{question} [y/N] ").ConfigureAwait(false);
        string? answer = await Task.Run(static () => Console.In.ReadLine(), CancellationToken.None).WaitAsync(interrupted).ConfigureAwait(false);
        if (answer?.Trim().ToLowerInvariant() is "y" or "yes")
            return true;
        await Console.Error.WriteLineAsync("Nothing is cancelled.").ConfigureAwait(false);
        return false;
    }
}
