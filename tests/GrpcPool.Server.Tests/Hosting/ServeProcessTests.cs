using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Hosting;

/// <summary>Alone, for the time to the end is measured.</summary>
[CollectionDefinition(nameof(ServeProcessTests), DisableParallelization = true)]
[Collection(nameof(ServeProcessTests))]
public sealed class ServeProcessTests
{
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(2);

    [Theory(Timeout = 60_000)]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_signal_ends_it_in_time_with_open_watches_and_a_task_that_hangs(string signal)
    {
        using ServerProcess server = await ServerProcess.ServeAsync($"Pool:DrainTimeout={DrainTimeout}");
        using GrpcChannel channel = GrpcChannel.ForAddress(server.GrpcAddress);
        var client = new TaskPoolService.TaskPoolServiceClient(channel);
        var task = new TaskSpec { Id = "hangs", Kind = "sleep", Payload = ByteString.CopyFromUtf8("""{"seconds":600}""") };
        await client.SubmitAsync(new SubmitRequest { Task = task }, TestServer.Call);
        AsyncServerStreamingCall<WatchResponse>[] watches = [.. Enumerable.Range(0, 10).Select(i => client.Watch(
            i % 2 == 0 ? new WatchRequest { Filter = new TaskFilter() } : new WatchRequest { Ids = { "hangs" } }, TestServer.Call))];
        foreach (AsyncServerStreamingCall<WatchResponse> watch in watches)
            Assert.True(await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken));

        long start = TimeProvider.System.GetTimestamp();
        await server.SignalAsync(signal);
        foreach (AsyncServerStreamingCall<WatchResponse> watch in watches)
        {
            await Refused.WithAsync(StatusCode.Unavailable, UntilEndAsync(watch));
            watch.Dispose();
        }

        (int code, string output, string errors) = await server.EndAsync();
        Assert.InRange(TimeProvider.System.GetElapsedTime(start), TimeSpan.Zero, DrainTimeout + TimeSpan.FromSeconds(2));
        Assert.True(code == 0, $"exit code {code}: {output} {errors}");
        Assert.DoesNotContain("fail:", output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    public async Task It_ends_at_once_when_there_is_nothing_to_wait_for()
    {
        using ServerProcess server = await ServerProcess.ServeAsync("Pool:DrainTimeout=00:00:30");
        await server.SignalAsync("TERM");
        Assert.Equal(0, (await server.EndAsync()).Code);
    }

    [Fact(Timeout = 30_000)]
    public async Task Bad_settings_are_told_all_at_once()
    {
        using ServerProcess server = ServerProcess.Run(["serve", .. ServerProcess.Set(["Pool:Slots=0", "Pool:DrainTimeout=25", "Pool:Slotz=3", "Listen:Grpc=nowhere"])]);
        (int code, _, string errors) = await server.EndAsync();
        Assert.Equal(78, code);
        Assert.All((string[])["Pool:Slots", "Pool:DrainTimeout", "Pool:Slotz", "Listen:Grpc"], key => Assert.Contains(key, errors));
    }

    [Fact(Timeout = 30_000)]
    public async Task An_address_in_use_is_a_fault()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using ServerProcess server = ServerProcess.Run(
            ["serve", .. ServerProcess.Set([$"Listen:Grpc=http://127.0.0.1:{port}", "Listen:Http=", "Listen:Ops=", "Storage:Type=memory"])]);
        (int code, _, string errors) = await server.EndAsync();
        Assert.Equal(1, code);
        Assert.Contains($"{port}", errors);
        Assert.Single(errors.Trim().Split('\n'));
    }

    private static async Task UntilEndAsync(AsyncServerStreamingCall<WatchResponse> watch)
    {
        while (await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
        {
        }
    }
}
