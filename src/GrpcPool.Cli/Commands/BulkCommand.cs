using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool bulk</c></summary>
internal static class BulkCommand
{
    private const string Description = """
        Submit many tasks: each line of a file is a TaskSpec as proto3 JSON, its payload in base64. They go out by one pipelined stream.
        A line that is refused is told on standard error with its number, and the others go on; the exit code is then that of the first
        one: 1 fault, 2 wrong line, 75 queue full. What a full queue refuses is repeated for a minute. With ids in all lines the command
        is harmless to repeat, also after Ctrl-C (130).
        """;

    private const string Examples = """
        grpcpool bulk tasks.jsonl
        echo '{"kind": "echo", "payload": "aGVsbG8=", "labels": {"team": "blue"}}' | grpcpool bulk -
        grpcpool bulk tasks.jsonl --output id > ids.txt
        """;

    private static readonly TimeSpan RetryFor = TimeSpan.FromMinutes(1);

    private static readonly Argument<string> File = new("file") { Description = "The file, or - for standard input." };

    public static Command Create() => new ExemplifiedCommand("bulk", CommandGroups.Tasks, Description, Examples) { File }.AskServer(RunAsync, retryFor: RetryFor);

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        using var lines = new SpecLines(result.GetValue(File)!);

        // Asked once, so that an unreachable server shows at once: the submission itself is patient.
        await client.Service.CountAsync(new CountRequest(), cancellationToken: interrupted).ConfigureAwait(false);
        using var run = new BulkRun(lines, Output.OutputOption.Read(result));
        return await run.SubmitAsync(client, interrupted).ConfigureAwait(false);
    }
}
