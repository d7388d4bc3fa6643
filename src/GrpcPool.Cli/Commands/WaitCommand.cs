using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Cli.Watching;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool wait</c></summary>
internal static class WaitCommand
{
    private const string Description = """
        Wait for the end of tasks, and print them.
        Exit codes: 0 succeeded, 3 failed, 4 cancelled, 5 expired, 6 not finished in time; of several tasks that of the first which has not
        succeeded. 1 for an unknown task, 130 after Ctrl-C. The tasks themselves are left as they are.
        """;

    private const string Examples = """
        grpcpool wait order-7
        grpcpool wait order-7 order-8 --timeout 10m
        grpcpool wait order-7 --output json
        """;

    private static readonly Option<Duration?> Timeout = Spans.Option("--timeout", "How long to wait; without end by default.");

    public static Command Create() => new ExemplifiedCommand("wait", CommandGroups.Watching, Description, Examples) { TaskIds.Some, Timeout }.AskServer(RunAsync);

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        TaskHandle[] handles = [.. result.GetValue(TaskIds.Some)!.Select(client.GetTask)];
        TaskInfo[] tasks = await Waiting.ForEndsAsync(handles, result.GetValue(Timeout), interrupted).ConfigureAwait(false);
        TaskOutput.Write(OutputOption.Read(result), tasks);
        return tasks.Select(Ending.CodeOf).FirstOrDefault(static code => code != ExitCodes.Ended);
    }
}
