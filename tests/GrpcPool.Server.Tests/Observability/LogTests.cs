using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Observability;

public sealed class LogTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";

    [Fact(Timeout = 60_000)]
    public async Task A_log_in_JSON_tells_each_change_of_a_task_with_its_id_and_that_of_its_trace()
    {
        using ServerProcess server = await ServerProcess.ServeAsync("Telemetry:LogFormat=Json", "Telemetry:LogLevel=Debug");
        using GrpcChannel channel = GrpcChannel.ForAddress(server.GrpcAddress);
        var client = new TaskPoolService.TaskPoolServiceClient(channel);
        var traced = TestServer.Call.WithHeaders(new Metadata { { "traceparent", $"00-{Trace}-b7ad6b7169203331-01" } });
        await client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Id = "t", Kind = "echo" } }, traced);
        await client.WaitAsync(new WaitRequest { Id = "t" }, TestServer.Call);
        await server.SignalAsync("TERM");
        (_, string output, _) = await server.EndAsync();

        JsonElement[] lines = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonDocument.Parse(line).RootElement)];
        string?[] states = [.. lines.Where(IsOfTask).Select(static line => line.GetProperty("State").GetProperty("State").GetString())];
        Assert.Equal(["Running", "Succeeded"], states);
        Assert.All(lines, static line => Assert.EndsWith("Z", line.GetProperty("Timestamp").GetString(), StringComparison.Ordinal));

        static bool IsOfTask(JsonElement line) => line.GetProperty("State") is var state
            && state.TryGetProperty("Task", out JsonElement task) && task.GetString()!.EndsWith('t') && state.GetProperty("TraceId").GetString() == Trace;
    }
}
