using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool drain</c></summary>
internal static class DrainCommand
{
    private const string Description = """
        Drain the pool: it takes and starts nothing more, and what runs goes on for as long as it takes. The server stays and answers until it is ended.
        It cannot be taken back but by ending the server and starting it anew. With --wait it ends when nothing runs any more, or at --timeout with exit code 6.
        """;

    private const string Examples = """
        grpcpool drain
        grpcpool drain --wait --timeout 10m
        """;

    private static readonly Option<bool> Wait = new("--wait") { Description = "Wait until nothing runs any more." };
    private static readonly Option<Duration?> Timeout = Spans.Option("--timeout", "With --wait: how long at most.");

    public static Command Create() => new ExemplifiedCommand("drain", CommandGroups.Operating, Description, Examples) { Wait, Timeout }.AskServer(RunAsync);

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        DrainResponse drained = await client.Admin().DrainAsync(new DrainRequest(), cancellationToken: interrupted).ConfigureAwait(false);
        if (result.GetValue(Wait) && drained.Running > 0)
            drained.Running = await WaitAsync(client, result.GetValue(Timeout)?.ToTimeSpan(), interrupted).ConfigureAwait(false);
        Console.Out.WriteLine(OutputOption.Read(result) switch
        {
            OutputFormat.Json => TaskOutput.ToJson(drained),
            OutputFormat.Id => PoolSheet.Number(drained.Running),
            _ => drained.Running == 0 ? "The pool is drained: nothing runs." : $"The pool drains: {Wording.Count(drained.Running, "task")} still running.",
        });
        return result.GetValue(Wait) && drained.Running > 0 ? ExitCodes.TaskUnfinished : ExitCodes.Ended;
    }

    /// <returns>How many tasks run at the end.</returns>
    private static async Task<long> WaitAsync(GrpcPoolClient client, TimeSpan? timeout, CancellationToken interrupted)
    {
        using var line = new StatusLine();
        DateTime? deadline = timeout is { } span ? TimeProvider.System.GetUtcNow().UtcDateTime + span : null;
        using AsyncServerStreamingCall<WatchPoolResponse> watch = client.Admin().WatchPool(new WatchPoolRequest(), deadline: deadline, cancellationToken: interrupted);
        long running = -1;
        try
        {
            while (running != 0 && await watch.ResponseStream.MoveNext(interrupted).ConfigureAwait(false))
            {
                running = watch.ResponseStream.Current.Pool.Running;
                line.Show($"{Wording.Count(running, "task")} still running");
            }
        }
        catch (RpcException late) when (late.StatusCode == StatusCode.DeadlineExceeded && running > 0)
        {
            // The last that was heard is the answer.
        }

        return running;
    }
}
