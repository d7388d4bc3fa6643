using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class GroupTests
{
    [Fact(Timeout = 20_000)]
    public async Task A_group_is_counted_watched_cancelled_and_retried_together()
    {
        await using TestServer server = await TestServer.StartAsync();
        var filter = new V1.TaskFilter { Group = "nightly" };
        await server.SubmitAsync(new TaskSpec { Kind = "gate", Queue = "other", Group = "weekly", Id = "other" });
        await server.SubmitManyAsync(20, new TaskSpec { Kind = "gate", Group = "nightly", SerialKey = "one" });
        using var watch = new Followed(server, new WatchRequest { Filter = filter });
        await watch.UntilSyncedAsync();
        Assert.Equal(20, watch.Tasks.Count);
        Assert.Equal(20, (await server.Client.CountAsync(new CountRequest { Filter = filter }, TestServer.Call)).Total);
        Assert.Equal(20, (await server.Client.CancelMatchingAsync(new CancelMatchingRequest { Filter = filter }, TestServer.Call)).Cancelled);
        while (watch.Tasks.Values.Any(static task => task.State != TaskState.Cancelled))
            Assert.True(await watch.ReadAsync());
        Assert.Equal(20, (await server.Client.RetryMatchingAsync(new RetryMatchingRequest { Filter = filter }, TestServer.Call)).Retried);
        server.Gate.Open();
        while (watch.Tasks.Values.Any(static task => task.State != TaskState.Succeeded))
            Assert.True(await watch.ReadAsync());
        Assert.All(watch.Tasks.Values, static task => Assert.Equal("nightly", task.Group));
        Assert.Null((await server.GetAsync("other")).Cancellation);
    }
}
