using System.CommandLine;
using Grpc.Core;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Hosting;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool backup</c></summary>
internal static class BackupCommand
{
    private const string Description = """
        Copy all tasks into one new file, which restore takes. The server at --address makes it, while it goes on, on its own machine; where none answers, the
        database of the settings is copied. An existing file is never replaced. Exit codes: 0 made, 1 not made, 2 wrong usage, 78 bad settings.
        """;

    private const string Examples = """
        grpcpool backup monday.db
        grpcpool backup monday.db --address unix:/run/grpcpool.sock
        grpcpool backup monday.db --set Storage:Path=/var/lib/grpcpool/grpcpool.db
        """;

    private static readonly Argument<string> FileName = new("file") { Description = "The file to make; its folder must exist." };

    public static Command Create()
    {
        var command = new ExemplifiedCommand("backup", CommandGroups.Store, Description, Examples) { FileName };
        var input = SettingsInput.AddTo(command);
        return command.AskServer((result, client, interrupted) => RunAsync(result, client, input, interrupted), answers: false);
    }

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, SettingsInput input, CancellationToken interrupted)
    {
        string path = Path.GetFullPath(result.GetValue(FileName)!);
        GrpcPoolOptions options = input.Load(result).Pool;
        long size;
        try
        {
            var service = new PoolAdminService.PoolAdminServiceClient(client.Invoker);
            size = (await service.BackupAsync(new BackupRequest { Path = path }, cancellationToken: interrupted).ConfigureAwait(false)).SizeBytes;
        }
        catch (RpcException unreachable) when (unreachable.StatusCode == StatusCode.Unavailable && unreachable.GetRpcStatus() is null)
        {
            size = StoreFile.BackUp(options, path);
        }

        Console.Out.WriteLine($"{path}: {Wording.Count(size, "byte")}");
        return ExitCodes.Ended;
    }
}
