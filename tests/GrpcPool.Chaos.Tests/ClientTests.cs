using Google.Protobuf;
using GrpcPool.Chaos.Faults;
using GrpcPool.Client;
using GrpcPool.Client.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Chaos.Tests;

/// <summary>What a program sees that uses the .NET client while the server is killed and started again.</summary>
public sealed class ClientTests
{
    private const int TimeoutMs = 60_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = TimeoutMs)]
    public async Task An_awaited_task_ends_with_its_result()
    {
        await using var site = new Site();
        await site.StartAsync(Stop);
        await using var proxy = new TcpProxy(site.Address);
        using var client = new GrpcPoolClient(new GrpcPoolClientOptions { Address = proxy.Address });
        var payload = ByteString.CopyFromUtf8("""{"seconds":0.5}""");
        TaskHandle task = await client.SubmitAsync(new TaskSpec { Kind = "sleep", Payload = payload }, Stop);
        Task<TaskInfo> awaited = task.WaitAsync(Stop);

        await RestartAsync(site, proxy);
        TaskInfo end = await awaited;
        Assert.Equal((TaskState.Succeeded, 1), (end.State, end.Losses));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_watch_goes_on_without_a_gap_and_without_starting_anew()
    {
        await using var site = new Site();
        await site.StartAsync(Stop);
        await using var proxy = new TcpProxy(site.Address);
        using var client = new GrpcPoolClient(new GrpcPoolClientOptions { Address = proxy.Address });
        await using IAsyncEnumerator<TaskEvent> watch = client.WatchAsync(new TaskFilter(), skipSnapshot: true, cancellationToken: Stop).GetAsyncEnumerator(Stop);
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal(WatchEventType.Synced, watch.Current.Type);

        await client.SubmitAsync(Echo("before"), Stop);
        await site.Client.WaitAsync(new WaitRequest { Id = "before" }, cancellationToken: Stop);
        await RestartAsync(site, proxy);
        await client.SubmitAsync(Echo("after"), Stop);

        var ends = new List<string>();
        while (ends.Count < 2 && await watch.MoveNextAsync())
        {
            Assert.False(watch.Current.Restarted);
            if (watch.Current.Task?.State == TaskState.Succeeded)
                ends.Add(watch.Current.Task.Id);
        }

        Assert.Equal(["before", "after"], ends);
    }

    private static TaskSpec Echo(string id) => new() { Id = id, Kind = "echo" };

    private static async Task RestartAsync(Site site, TcpProxy proxy)
    {
        await site.KillAsync();
        proxy.Lead(null);
        await site.StartAsync(Stop);
        proxy.Lead(site.Address);
    }
}
