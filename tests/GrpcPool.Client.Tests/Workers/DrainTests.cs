using GrpcPool.Client.Tests.Infrastructure;
using GrpcPool.Client.Workers;
using GrpcPool.V1;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Client.Tests.Workers;

/// <summary>How a worker leaves.</summary>
public sealed class DrainTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly StubWorkers _pool = new();
    private readonly TestHandler _handler = new();

    [Fact(Timeout = 60_000)]
    public async Task A_host_that_stops_finishes_what_runs_gives_back_the_rest_and_waits_for_the_acceptance()
    {
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, _handler, _time);
        StubStream stream = await BeginAsync();
        await stream.AssignAsync("runs");
        TestRun run = await _handler.NextStartAsync();
        Task stopping = worker.StopAsync();
        await stream.NextAsync(ConnectRequest.MessageOneofCase.Draining);

        await stream.AssignAsync("crossed");
        Report released = Assert.Single((await stream.NextReportsAsync()).Items);
        Assert.Equal(("crossed", Report.ReportOneofCase.Released), (released.Lease.TaskId, released.ReportCase));
        await stream.AcceptAsync(1);
        run.Succeed("finished");
        Reports last = await stream.NextReportsAsync();
        Assert.Equal("finished", Assert.Single(last.Items).Succeeded.Result.ToStringUtf8());
        Assert.False(stopping.IsCompleted);
        await stream.AcceptAsync(last.Sequence);
        Assert.Empty(await stream.ClosedAsync());
        stream.End();
        await stopping;
        Assert.Equal(["runs"], _handler.Ran);
        Assert.DoesNotContain(stream.Seen.SkipWhile(static message => message.Draining is null), static message => message.Credit is not null);
    }

    [Fact(Timeout = 60_000)]
    public async Task What_is_not_accepted_when_the_stream_breaks_amid_the_drain_is_brought_over_the_next()
    {
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, _handler, _time, static options => options.DrainTimeout = TimeSpan.FromHours(1));
        StubStream before = await BeginAsync();
        await before.AssignAsync("a");
        TestRun run = await _handler.NextStartAsync();
        Task stopping = worker.StopAsync();
        await before.NextAsync(ConnectRequest.MessageOneofCase.Draining);
        run.Succeed();
        await before.NextReportsAsync();
        before.Cut();

        StubStream after = await NextStreamAsync();
        await after.WelcomeAsync();
        Assert.Equal(("w1", 1L), (after.Hello.ResumeWorkerId, Assert.Single(after.Seen, static message => message.Reports is not null).Reports.Sequence));
        await after.NextAsync(ConnectRequest.MessageOneofCase.Draining);
        await after.AcceptAsync(1);
        await after.ClosedAsync();
        after.End();
        await stopping;
        Assert.DoesNotContain(after.Seen, static message => message.Credit is not null);
    }

    [Fact(Timeout = 60_000)]
    public async Task What_still_runs_after_the_timeout_is_told_to_stop_and_named_no_more()
    {
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, _handler, _time, static options => options.DrainTimeout = TimeSpan.FromSeconds(3));
        StubStream stream = await BeginAsync();
        await stream.AssignAsync("gives up", "makes it", "stubborn");
        TestRun[] runs = [await _handler.NextStartAsync(), await _handler.NextStartAsync(), await _handler.NextStartAsync()];
        Task stopping = worker.StopAsync();
        await stream.NextAsync(ConnectRequest.MessageOneofCase.Draining);
        _time.Advance(TimeSpan.FromSeconds(3));
        foreach (TestRun run in runs)
            await run.StoppedAsync();
        Assert.All(runs, static run => Assert.Equal("the worker shuts down", run.Context.StopReason));

        TestRun yielding = runs.Single(static run => run.Context.TaskId == "gives up");
        yielding.Ending.SetCanceled(yielding.Stopping);
        runs.Single(static run => run.Context.TaskId == "makes it").Succeed();
        Reports told = await stream.NextReportsAsync();
        Assert.Equal("makes it", Assert.Single(told.Items).Lease.TaskId);
        await stream.AcceptAsync(told.Sequence);

        Task<List<ConnectRequest>> closed = stream.ClosedAsync();
        WorkerHeartbeat last = (await _time.PassUntilAsync(closed))[^1].Heartbeat;
        Assert.Equal((1L, 0), (last.ReceivedSequence, last.Tokens.Count));
        stream.End();
        await stopping;
        await runs.Single(static run => run.Context.TaskId == "stubborn").KilledAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_worker_that_has_nothing_to_say_leaves_a_pool_that_is_away_at_once()
    {
        await using var proxy = new TcpProxy(null);
        await using TestWorker worker = await TestWorker.StartAsync(proxy.Address, _handler, _time);
        await proxy.NextConnectionAsync();
        await worker.StopAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_worker_that_the_pool_drains_comes_back_as_a_new_one()
    {
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, _handler, _time);
        StubStream before = await BeginAsync();
        await before.AssignAsync("a");
        TestRun run = await _handler.NextStartAsync();
        await before.DrainAsync();
        await before.NextAsync(ConnectRequest.MessageOneofCase.Draining);
        run.Succeed();
        await before.AcceptAsync((await before.NextReportsAsync()).Sequence);
        await before.ClosedAsync();
        before.End();

        StubStream after = await NextStreamAsync();
        await after.WelcomeAsync("w2");
        Assert.Equal("", after.Hello.ResumeWorkerId);
        Assert.Equal(4, await after.NextCreditAsync());
        Assert.False(worker.Stopping.IsCancellationRequested);
        await after.AssignAsync("b");
        (await _handler.NextStartAsync()).Succeed();
        Assert.Equal(1, (await after.NextReportsAsync()).Sequence);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_host_that_is_to_stop_with_its_worker_stops_when_the_pool_has_drained_it()
    {
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, _handler, _time, static options => options.StopHostWhenDrained = true);
        StubStream stream = await BeginAsync();
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = worker.Stopping.Register(stopped.SetResult);
        await stream.DrainAsync();
        await stream.ClosedAsync();
        stream.End();
        await stopped.Task.WaitAsync(TestClient.Stop);
    }

    [Fact]
    public async Task Wrong_options_stop_a_host_at_its_start_and_all_are_named()
    {
        var services = new ServiceCollection();
        services.AddGrpcPoolWorker(static options =>
        {
            (options.Name, options.Slots, options.DrainTimeout) = ("with space", 0, TimeSpan.FromHours(2));
            options.Labels["Upper"] = new string('x', 257);
        }).AddHandler<TestHandler>("a b").AddHandler<TestHandler>("twice").AddHandler<TestHandler>("twice");
        await using ServiceProvider provider = services.BuildServiceProvider();
        OptionsValidationException refusal = Assert.Throws<OptionsValidationException>(provider.GetRequiredService<IStartupValidator>().Validate);
        string[] rules = ["Name must", "Slots must", "DrainTimeout must", "Labels: 'Upper' must", "Labels: the value of 'Upper'", "The kind 'a b' of", "The kind 'twice' has several handlers"];
        Assert.All(rules.Zip(refusal.Failures, static (rule, failure) => (rule, failure)), static pair => Assert.StartsWith(pair.rule, pair.failure, StringComparison.Ordinal));
        Assert.Equal(rules.Length, refusal.Failures.Count());
    }

    [Fact]
    public async Task A_worker_without_a_handler_is_no_worker()
    {
        var services = new ServiceCollection();
        services.AddGrpcPoolWorker();
        await using ServiceProvider provider = services.BuildServiceProvider();
        Assert.Throws<OptionsValidationException>(provider.GetRequiredService<IStartupValidator>().Validate);
    }

    /// <summary>With steps so small that no limit passes meanwhile.</summary>
    private Task<StubStream> NextStreamAsync() => _time.PassUntilAsync(_pool.NextStreamAsync(), 0.02);

    private async Task<StubStream> BeginAsync()
    {
        StubStream stream = await NextStreamAsync();
        await stream.WelcomeAsync();
        await stream.NextCreditAsync();
        return stream;
    }
}
