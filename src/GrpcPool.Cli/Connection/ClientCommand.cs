using System.CommandLine;
using Grpc.Core;
using GrpcPool.Cli.Output;
using GrpcPool.Client;

namespace GrpcPool.Cli.Connection;

/// <summary>What a command does with a server.</summary>
/// <param name="result">The command line.</param>
/// <param name="client">The server.</param>
/// <param name="interrupted">Somebody wants it to end.</param>
/// <returns>The exit code.</returns>
internal delegate Task<int> ServerWork(ParseResult result, GrpcPoolClient client, CancellationToken interrupted);

/// <summary>Commands that ask a server: how they find it, and how they end.</summary>
internal static class ClientCommand
{
    private const int BrokenPipe = 32;

    /// <summary>Makes a command ask a server.</summary>
    /// <param name="command">The command.</param>
    /// <param name="work">What it does.</param>
    /// <param name="answers">Whether it answers in one of the formats.</param>
    /// <param name="retryFor">How long refused submissions of many tasks are repeated.</param>
    public static Command AskServer(this Command command, ServerWork work, bool answers = true, TimeSpan retryFor = default)
    {
        if (answers)
            command.Add(OutputOption.Option);
        ServerConnection.AddTo(command);
        command.SetAction((result, _) => RunAsync(result, work, retryFor));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, ServerWork work, TimeSpan retryFor)
    {
        StandardOutput.NoticeItsEnd();
        using var interruption = new Interruption(onlyFirst: true);
        try
        {
            using GrpcPoolClient client = ServerConnection.Open(result, retryFor);
            return await work(result, client, interruption.Token).ConfigureAwait(false);
        }
        catch (Exception error)
            when (interruption.Token.IsCancellationRequested && error is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
        {
            return ExitCodes.Interrupted;
        }
        catch (IOException error) when (error.HResult == BrokenPipe)
        {
            // Whoever reads has seen enough.
            return ExitCodes.Ended;
        }
        catch (Exception error) when (Fault.Of(error, result.GetValue(ServerAddress.Option)!) is { } fault)
        {
            fault.Tell();
            return fault.Code;
        }
    }
}
