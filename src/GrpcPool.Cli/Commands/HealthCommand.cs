using System.CommandLine;
using System.CommandLine.Parsing;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Health.V1;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Client;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool health</c></summary>
internal static class HealthCommand
{
    private const string Description =
        "Ask a server how it is (grpc.health.v1): prints SERVING or NOT_SERVING. Exit codes: 0 serving, 1 not serving or no such service, 69 unreachable.";

    private const string Examples = """
        grpcpool health
        grpcpool health --address http://127.0.0.1:6000 --timeout 1s
        grpcpool health grpcpool.v1.TaskPoolService
        """;

    private static readonly TimeSpan TimeoutDefault = TimeSpan.FromSeconds(5), TimeoutMax = TimeSpan.FromHours(1);

    private static readonly Argument<string> Service = new("service")
    {
        Description = "The service to ask about, the whole server by default.",
        DefaultValueFactory = _ => "",
    };

    private static readonly Option<Duration?> Timeout = Spans.Option("--timeout", "How long to wait for the answer, 5s by default.");

    public static Command Create()
    {
        var command = new ExemplifiedCommand("health", CommandGroups.Pool, Description, Examples) { Service, Timeout };
        ServerConnection.AddServerTo(command);
        Timeout.Validators.Add(CheckTimeout);
        command.SetAction(result =>
            RunAsync(ServerConnection.ServerOf(result), result.GetValue(Service)!, result.GetValue(Timeout)?.ToTimeSpan() ?? TimeoutDefault));
        return command;
    }

    private static async Task<int> RunAsync(GrpcPoolClientOptions options, string service, TimeSpan timeout)
    {
        using var pool = new GrpcPoolClient(options);
        try
        {
            DateTime deadline = TimeProvider.System.GetUtcNow().UtcDateTime + timeout;
            HealthCheckResponse response = await new Health.HealthClient(pool.Invoker)
                .CheckAsync(new HealthCheckRequest { Service = service }, deadline: deadline).ConfigureAwait(false);
            bool serving = response.Status == HealthCheckResponse.Types.ServingStatus.Serving;
            await Console.Out.WriteLineAsync(serving ? "SERVING" : "NOT_SERVING").ConfigureAwait(false);
            return serving ? ExitCodes.Ended : ExitCodes.Fault;
        }
        catch (RpcException e)
        {
            return Report(e, options.Address, service, timeout);
        }
    }

    private static int Report(RpcException e, Uri address, string service, TimeSpan timeout)
    {
        Fault fault = e.StatusCode switch
        {
            StatusCode.NotFound => new Fault($"The server knows no service \"{service}\".", ExitCodes.Fault),
            StatusCode.Unimplemented => new Fault($"{address} does not tell its health.", ExitCodes.Fault),
            StatusCode.DeadlineExceeded => new Fault($"{address} is unreachable: no answer in {timeout.TotalSeconds} s.", ExitCodes.Unreachable),
            _ => Fault.Of(e, address)!,
        };
        fault.Tell();
        return fault.Code;
    }

    private static void CheckTimeout(OptionResult result)
    {
        if (result.GetValue(Timeout)?.ToTimeSpan() is { } timeout && (timeout <= TimeSpan.Zero || timeout > TimeoutMax))
            result.AddError($"--timeout must be more than 0 and at most {TimeoutMax.TotalHours}h.");
    }
}
