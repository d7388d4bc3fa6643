using System.CommandLine;
using Grpc.Core;
using GrpcPool.Cli.Output;

namespace GrpcPool.Cli.Commands.Demo;

/// <summary><c>grpcpool demo</c></summary>
internal static class DemoCommand
{
    private const string Description = """
        See a pool at work for ten seconds: starts a server of its own on a free loopback port, submits a few dozen tasks of every sort
        to three queues, watches them live, and checks how each one ends. It needs no settings and leaves nothing behind. On a terminal
        it draws progress bars; redirected, or with NO_COLOR set, it prints a line per change.
        Exit codes: 0 all tasks ended as they should, 1 not.
        """;

    private const string Examples = """
        grpcpool demo
        grpcpool demo > demo.txt
        NO_COLOR=1 grpcpool demo
        """;

    public static Command Create()
    {
        var command = new ExemplifiedCommand("demo", CommandGroups.Pool, Description, Examples);
        command.SetAction((_, _) => RunAsync());
        return command;
    }

    private static async Task<int> RunAsync()
    {
        using var interruption = new Interruption();
        try
        {
            return await RunAsync(interruption.Token).ConfigureAwait(false) ? ExitCodes.Ended : ExitCodes.Fault;
        }
        catch (Exception e) when (interruption.Token.IsCancellationRequested && e is OperationCanceledException or RpcException)
        {
            await Console.Error.WriteLineAsync("grpcpool: Interrupted. The server is drained, its folder removed.").ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or RpcException or TimeoutException)
        {
            await Console.Error.WriteLineAsync($"grpcpool: The demo failed: {e.Message}").ConfigureAwait(false);
        }

        return ExitCodes.Fault;
    }

    private static async Task<bool> RunAsync(CancellationToken interrupted)
    {
        using var folder = DemoFolder.Create();
        var programs = DemoPrograms.Find();
        DemoServer server = await DemoServer.StartAsync(folder, programs, interrupted).ConfigureAwait(false);
        await using (server.ConfigureAwait(false))
        {
            var board = new DemoBoard(DemoTasks.Declare(folder, programs));
            IDemoView view = Screen.IsPlain ? new PlainView() : new LiveView();
            DemoScreen.Introduce(server, board, programs);
            var run = new DemoRun(server.Client, board);
            await view.ShowAsync(board, show => run.FollowAsync(show, interrupted)).ConfigureAwait(false);
            return DemoSummary.Print(board, await run.CollectAsync(interrupted).ConfigureAwait(false));
        }
    }
}
