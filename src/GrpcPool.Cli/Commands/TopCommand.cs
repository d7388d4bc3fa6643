using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Cli.Watching;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool top</c></summary>
internal static class TopCommand
{
    private const string Description = """
        Watch the pool live on the whole screen: slots, queues, rates, and the running tasks with their progress. q leaves, and so does Ctrl-C (exit code 130).
        Redirected, with --output json or with NO_COLOR set it shows the pool once, with the rates of one interval.
        """;

    private const string Examples = """
        grpcpool top
        grpcpool top --interval 0.2s
        grpcpool top --output json
        """;

    private const int TasksMax = 100;

    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(100);
    private static readonly Option<Duration?> Interval = Spans.Option("--interval", "How often the numbers are read, 0.1s to 1m; 1s by default.");

    public static Command Create() => new ExemplifiedCommand("top", CommandGroups.Operating, Description, Examples) { Interval }.AskServer(RunAsync);

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        if (Screen.IsPlain || OutputOption.Read(result) != OutputFormat.Table)
            return await ShowOnceAsync(result, client, interrupted).ConfigureAwait(false);

        // Asked once, so that a wrong interval or an unreachable server shows at once: from then on it is patient.
        var board = new TopBoard();
        board.Take((await NextAsync(result, client, 1, interrupted).ConfigureAwait(false))!);
        using var screen = new FullScreen();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(interrupted, screen.Left);
        Task reading = Task.WhenAll(TopFeed.ReadPoolAsync(client, result.GetValue(Interval), board, stop.Token), TopFeed.ReadTasksAsync(client, board, stop.Token));
        Uri address = result.GetValue(ServerAddress.Option)!;
        while (!stop.IsCancellationRequested)
        {
            FullScreen.Draw(TopScreen.WidthMin, (width, height) => new TopScreen(address, width, height).Draw(board.Read(), TimeProvider.System.GetUtcNow()));
            await Task.Delay(Frame, TimeProvider.System, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await reading.ConfigureAwait(false);
        return interrupted.IsCancellationRequested ? ExitCodes.Interrupted : ExitCodes.Ended;
    }

    private static async Task<int> ShowOnceAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        PoolInfo pool = (await NextAsync(result, client, 2, interrupted).ConfigureAwait(false))!;
        OutputFormat format = OutputOption.Read(result);
        if (format == OutputFormat.Json)
        {
            Console.Out.WriteLine(TaskOutput.ToJson(pool));
            return ExitCodes.Ended;
        }

        if (format == OutputFormat.Table)
            Console.Out.Write($"{PoolSheet.Draw(pool)}\n");
        var running = new ListRequest { Filter = new TaskFilter { States = { TaskState.Running } }, PageSize = TasksMax };
        TaskOutput.Write(format, (await client.Service.ListAsync(running, cancellationToken: interrupted).ConfigureAwait(false)).Tasks);
        return ExitCodes.Ended;
    }

    /// <summary>The message of that number; the second is the first that has rates.</summary>
    private static async Task<PoolInfo?> NextAsync(ParseResult result, GrpcPoolClient client, int number, CancellationToken interrupted)
    {
        using AsyncServerStreamingCall<WatchPoolResponse> watch = client.Admin().WatchPool(new WatchPoolRequest { Interval = result.GetValue(Interval) }, cancellationToken: interrupted);
        PoolInfo? pool = null;
        for (int i = 0; i < number && await watch.ResponseStream.MoveNext(interrupted).ConfigureAwait(false); i++)
            pool = watch.ResponseStream.Current.Pool;
        return pool;
    }
}
