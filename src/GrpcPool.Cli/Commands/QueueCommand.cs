using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool queue</c></summary>
internal static class QueueCommand
{
    private const string Description = """
        Show the queues, or pause, resume, change or purge one.
        What is changed holds for the queue of that name in every namespace, at once and after restarts, until it is changed back.
        """;

    private const string Examples = """
        grpcpool queue
        grpcpool queue pause newsletters
        grpcpool queue update newsletters --limit 4 --weight 3
        grpcpool queue update newsletters --reset
        grpcpool queue resume newsletters
        grpcpool queue purge newsletters --dry-run
        """;

    public static Command Create()
    {
        var queue = new ExemplifiedCommand("queue", CommandGroups.Operating, Description, Examples)
        {
            List(),
            Change(
                "pause",
                "Stop the starts of a queue at once. What runs goes on, and tasks still come in.",
                async (client, name, stop) => (await client.PauseQueueAsync(new PauseQueueRequest { Queue = name }, cancellationToken: stop).ConfigureAwait(false)).Queue),
            Change(
                "resume",
                "Let a paused queue start tasks again, in their order.",
                async (client, name, stop) => (await client.ResumeQueueAsync(new ResumeQueueRequest { Queue = name }, cancellationToken: stop).ConfigureAwait(false)).Queue),
            QueueUpdateCommand.Create(),
            PurgeCommand.Create("grpcpool queue purge"),
        };
        return queue.AskServer(ListAsync);
    }

    /// <summary>Shows a queue after a change.</summary>
    public static int Show(ParseResult result, QueueInfo queue)
    {
        Write(OutputOption.Read(result), [queue]);
        return ExitCodes.Ended;
    }

    private static Command List() =>
        new ExemplifiedCommand("list", CommandGroups.Operating, "Show the queues. With --output json: one object per queue.", "grpcpool queue list\ngrpcpool queue list --output json").AskServer(ListAsync);

    private static Command Change(string name, string description, Func<PoolAdminService.PoolAdminServiceClient, string, CancellationToken, Task<QueueInfo>> change) =>
        new ExemplifiedCommand(name, CommandGroups.Operating, description, $"grpcpool queue {name} newsletters") { QueueName.Argument }.AskServer(
            async (result, client, interrupted) => Show(result, await change(client.Admin(), result.GetValue(QueueName.Argument)!, interrupted).ConfigureAwait(false)));

    private static async Task<int> ListAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        PoolInfo pool = (await client.Admin().GetPoolAsync(new GetPoolRequest(), cancellationToken: interrupted).ConfigureAwait(false)).Pool;
        Write(OutputOption.Read(result), pool.Queues, pool.QueuesLeftOut);
        return ExitCodes.Ended;
    }

    private static void Write(OutputFormat format, IReadOnlyCollection<QueueInfo> queues, int leftOut = 0) => Console.Out.Write(format switch
    {
        OutputFormat.Json => string.Concat(queues.Select(static queue => $"{TaskOutput.ToJson(queue)}\n")),
        OutputFormat.Id => string.Concat(queues.Select(static queue => $"{queue.Queue}\n")),
        _ => PoolSheet.DrawQueues(queues, leftOut),
    });
}
