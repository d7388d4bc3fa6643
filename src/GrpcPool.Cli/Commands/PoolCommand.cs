using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool pool</c></summary>
internal static class PoolCommand
{
    private const string Description = """
        Show the pool: its slots, what runs and what waits, and its queues.
        What was changed at run time is followed by what the settings say, in brackets. With --output id: the names of the queues.
        """;

    private const string Examples = """
        grpcpool pool
        grpcpool pool --output json
        """;

    public static Command Create() => new ExemplifiedCommand("pool", CommandGroups.Operating, Description, Examples).AskServer(RunAsync);

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        PoolInfo pool = (await client.Admin().GetPoolAsync(new GetPoolRequest(), cancellationToken: interrupted).ConfigureAwait(false)).Pool;
        Console.Out.Write(OutputOption.Read(result) switch
        {
            OutputFormat.Json => $"{TaskOutput.ToJson(pool)}\n",
            OutputFormat.Id => string.Concat(pool.Queues.Select(static queue => $"{queue.Queue}\n")),
            _ => PoolSheet.Draw(pool),
        });
        return ExitCodes.Ended;
    }
}
