using System.CommandLine;
using System.Net.Sockets;
using GrpcPool.Core.Storage;
using GrpcPool.Server.Hosting;
using Microsoft.AspNetCore.Connections;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool serve</c></summary>
internal static class ServeCommand
{
    private const string Description =
        "Run a server until SIGTERM or SIGINT, then drain: admit nothing more, let running tasks finish within Pool:DrainTimeout, end.";

    private const string Examples = """
        grpcpool serve
        grpcpool serve --config /etc/grpcpool.json
        grpcpool serve --set Pool:Slots=8 --set Queues:default:WhenFull=Wait
        GRPCPOOL__LISTEN__GRPC=http://127.0.0.1:6000 grpcpool serve
        """;

    public static Command Create()
    {
        var command = new ExemplifiedCommand("serve", CommandGroups.Pool, Description, Examples);
        var input = SettingsInput.AddTo(command);
        command.SetAction((result, cancellationToken) => RunAsync(input.Load(result), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        try
        {
            await PoolHost.RunAsync(settings.Pool, settings.Listen, settings.Access, settings.Telemetry, cancellationToken).ConfigureAwait(false);
            return ExitCodes.Ended;
        }
        catch (Exception e) when (e is SocketException or IOException { InnerException: AddressInUseException })
        {
            string text = $"grpcpool: Cannot listen: {e.Message.TrimEnd('.')}. Change Listen:Grpc, Listen:Socket, Listen:Http or Listen:Ops.";
            await Console.Error.WriteLineAsync(text).ConfigureAwait(false);
            return ExitCodes.Fault;
        }
        catch (StorageException e)
        {
            string remedy = e.Fault == StorageFault.Full ? $". Make room on the disk of {settings.Pool.Storage.Path}." : "";
            await Console.Error.WriteLineAsync($"grpcpool: Cannot open the store: {e.Message}{remedy}").ConfigureAwait(false);
            return e.Fault == StorageFault.WrongPlace ? ExitCodes.Settings : ExitCodes.Fault;
        }
    }
}
