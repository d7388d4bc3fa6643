using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool status</c></summary>
internal static class StatusCommand
{
    private const string Description = """
        Show one task: its state, why it waits, its progress, attempts, payload and result.
        Payload and result are shown where they are short text, otherwise their size; --result writes the result's bytes as they are.
        """;

    private const string Examples = """
        grpcpool status order-7
        grpcpool status order-7 --output json
        grpcpool status order-7 --result > result.bin
        """;

    private static readonly Option<bool> Result = new("--result") { Description = "Write the result to standard output, and nothing else." };

    public static Command Create() => new ExemplifiedCommand("status", CommandGroups.Watching, Description, Examples) { TaskIds.One, Result }.AskServer(RunAsync);

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        var request = new GetStatusRequest { Id = result.GetValue(TaskIds.One), View = TaskView.Full, QueuePosition = true };
        TaskInfo task = (await client.Service.GetStatusAsync(request, cancellationToken: interrupted).ConfigureAwait(false)).Task;
        if (result.GetValue(Result))
            return await Ending.HandOverAsync(task, null).ConfigureAwait(false);

        if (OutputOption.Read(result) == OutputFormat.Table)
            Console.Out.Write(StatusSheet.Draw(task));
        else
            TaskOutput.Write(OutputOption.Read(result), task);
        return ExitCodes.Ended;
    }
}
