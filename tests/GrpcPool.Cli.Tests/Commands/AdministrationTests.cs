using System.Text.Json;
using GrpcPool.Cli.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Cli.Tests.Commands;

/// <summary>What is changed holds for the queues of a name in every namespace: each test has queues of its own.</summary>
public sealed class AdministrationTests(Pool pool)
{
    private const int Timeout = 120_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Timeout)]
    public async Task Pool_shows_slots_and_queues()
    {
        using var session = new Session(pool);
        await SubmitAsync(session, "a", "shown");
        Ended table = await session.RunAsync("pool");
        Ended json = await session.RunAsync("pool", "--output", "json");
        Ended names = await session.RunAsync("queue", "--output", "id");

        Assert.Equal((0, ""), (table.Code, table.Errors));
        Assert.Matches(@"(?m)^state +open$", table.Output);
        Assert.Matches(@"(?m)^slots +\d+ of 64 taken$", table.Output);
        Assert.Matches(@"(?m)^shown +1 +100,000 +reject +0 +0 +- +1 +open$", table.Output);
        Assert.Equal(64, JsonDocument.Parse(json.Output).RootElement.GetProperty("size").GetInt32());
        Assert.Contains("shown\n", names.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = Timeout)]
    public async Task A_queue_is_paused_changed_resumed_and_set_back()
    {
        using var session = new Session(pool);
        Ended paused = await session.RunAsync("queue", "pause", "changed");
        await SubmitAsync(session, "a", "changed", delayed: false);
        Ended updated = await session.RunAsync("queue", "update", "changed", "--limit", "4", "--weight", "3", "--when-full", "discard-oldest");
        Ended status = await session.RunAsync("status", "a");
        Ended resumed = await session.RunAsync("queue", "resume", "changed", "--output", "json");
        TaskInfo ended = await session.Client.GetTask("a").WaitAsync(Stop);
        Ended reset = await session.RunAsync("queue", "update", "changed", "--limit", "none", "--reset");

        Assert.Matches(@"(?m)^changed +0 +100,000 +reject +0 +0 +- +1 +paused$", paused.Output);
        Assert.Matches(@"(?m)^changed +1 +100,000 +discard-oldest \(reject\) +0 +0 +4 \(-\) +3 \(1\) +paused$", updated.Output);
        Assert.Matches(@"(?m)^waits for +QueuePaused$", status.Output);
        Assert.False(JsonDocument.Parse(resumed.Output).RootElement.TryGetProperty("paused", out JsonElement value) && value.GetBoolean());
        Assert.Equal(TaskState.Succeeded, ended.State);
        Assert.Matches(@"(?m)^changed +0 +100,000 +reject +0 +0 +- +1 +open$", reset.Output);
    }

    [Fact(Timeout = Timeout)]
    public async Task A_purge_wants_to_be_confirmed()
    {
        using var session = new Session(pool);
        await SubmitAsync(session, "a", "purged");
        await SubmitAsync(session, "b", "purged");
        Ended unasked = await session.RunAsync("purge", "purged");
        Ended dry = await session.RunAsync("queue", "purge", "purged", "--dry-run");
        Ended done = await session.RunAsync("purge", "purged", "--yes", "--reason", "enough");

        Assert.Equal((2, ""), (unasked.Code, unasked.Output));
        Assert.Contains("--yes", unasked.Errors, StringComparison.Ordinal);
        Assert.Equal(new Ended(0, "2 tasks would be cancelled.\n", ""), dry);
        Assert.Equal(new Ended(0, "2 tasks cancelled.\n", ""), done);
        TaskInfo purged = await session.Client.GetTask("a").GetStatusAsync(cancellationToken: Stop);
        Assert.Equal((TaskState.Cancelled, "enough"), (purged.State, purged.Cancellation.Reason));
    }

    [Fact(Timeout = Timeout)]
    public async Task Workers_are_listed_and_told_to_leave()
    {
        using var session = new Session(pool);
        using var call = new WorkerService.WorkerServiceClient(session.Client.Invoker).Connect(cancellationToken: Stop);
        await call.RequestStream.WriteAsync(new ConnectRequest { Hello = new Hello { WorkerName = "press", Kinds = { "print" }, Slots = 4, Labels = { ["room"] = "7" } } }, Stop);
        Assert.True(await call.ResponseStream.MoveNext(Stop));
        string id = call.ResponseStream.Current.Welcome.WorkerId;
        Ended listed = await session.RunAsync("workers");
        Ended drained = await session.RunAsync("workers", "drain", id, "--output", "json");
        Ended unknown = await session.RunAsync("workers", "drain", "nobody");

        Assert.Matches($@"(?m)^{id} +press +0 of 4 +connected +\d{{4}}-.* print +room=7$", listed.Output);
        Assert.True(JsonDocument.Parse(drained.Output).RootElement.GetProperty("draining").GetBoolean());
        while (call.ResponseStream.Current.Drain is null)
            Assert.True(await call.ResponseStream.MoveNext(Stop));
        Assert.Equal((1, ""), (unknown.Code, unknown.Output));
        Assert.Contains("'nobody'", unknown.Errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = Timeout)]
    public async Task A_server_of_its_own_is_resized_and_drained()
    {
        await using var own = new Pool();
        await own.InitializeAsync();
        using var session = new Session(own);
        Ended resized = await session.RunAsync("resize", "4");
        Ended shown = await session.RunAsync("pool");
        await session.Client.SubmitAsync(new TaskSpec { Kind = "deaf", Id = "runs" }, Stop);
        Ended drained = await session.RunAsync("drain");
        Ended late = await session.RunAsync("submit", "echo");
        Ended waited = await session.RunAsync("drain", "--wait", "--timeout", "1s");
        await session.RunAsync("cancel", "runs", "--force-after", "0s");
        Ended ended = await session.RunAsync("drain", "--wait");

        Assert.Equal(new Ended(0, "4 slots, before 64; 0 taken.\n", ""), resized);
        Assert.Matches(@"(?m)^slots +0 of 4 \(64\) taken$", shown.Output);
        Assert.Equal(new Ended(0, "The pool drains: 1 task still running.\n", ""), drained);
        Assert.Equal(69, late.Code);
        Assert.Equal((6, "The pool drains: 1 task still running.\n"), (waited.Code, waited.Output));
        Assert.Equal((0, "The pool is drained: nothing runs.\n"), (ended.Code, ended.Output));
    }

    [Fact(Timeout = Timeout)]
    public async Task Top_redirected_shows_the_pool_once_with_rates()
    {
        using var session = new Session(pool);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "deaf", Id = "runs" }, Stop);
        Ended top = await session.RunAsync("top", "--interval", "0.1s");
        Ended json = await session.RunAsync("top", "--interval", "0.1s", "--output", "json");
        await session.RunAsync("cancel", "runs", "--force-after", "0s");

        Assert.Equal((0, ""), (top.Code, top.Errors));
        Assert.Matches(@"(?m)^rates +[\d.,]+/s in, [\d.,]+/s started, [\d.,]+/s done, [\d.,]+/s failed$", top.Output);
        Assert.Matches(@"(?m)^runs +deaf +default +RUNNING ", top.Output);
        Assert.True(JsonDocument.Parse(json.Output).RootElement.TryGetProperty("rates", out _));
    }

    [Theory(Timeout = Timeout)]
    [InlineData("queue", "update", "mail")]
    [InlineData("queue", "update", "mail", "--limit", "0")]
    [InlineData("queue", "update", "mail", "--when-full", "explode")]
    [InlineData("queue", "pause")]
    [InlineData("queue", "dance")]
    [InlineData("queue", "pause", "No Queue")]
    [InlineData("resize", "many")]
    [InlineData("resize", "0")]
    [InlineData("top", "--interval", "1h")]
    public async Task Wrong_usage_ends_with_2(params string[] arguments)
    {
        using var session = new Session(pool, "wrong-usage");
        Ended ended = await session.RunAsync(arguments);

        Assert.Equal((2, ""), (ended.Code, ended.Output));
        Assert.StartsWith("grpcpool: ", ended.Errors, StringComparison.Ordinal);
    }

    private static async Task SubmitAsync(Session session, string id, string queue, bool delayed = true)
    {
        var task = new TaskSpec { Kind = "echo", Id = id, Queue = queue };
        if (delayed)
            task.Delay = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromHours(1));
        await session.Client.SubmitAsync(task, Stop);
    }
}
