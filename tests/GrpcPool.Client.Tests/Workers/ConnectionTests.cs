using Grpc.Core;
using GrpcPool.Client.Tests.Infrastructure;
using GrpcPool.V1;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Client.Tests.Workers;

/// <summary>How a worker outlives its streams.</summary>
public sealed class ConnectionTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly StubWorkers _pool = new();
    private readonly TestHandler _handler = new();

    [Fact(Timeout = 60_000)]
    public async Task After_a_cut_it_resumes_and_sends_again_what_was_not_accepted()
    {
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, _handler, _time);
        StubStream before = await BeginAsync();
        await before.AssignAsync("a", "b", "c");
        for (int i = 0; i < 2; i++)
            (await _handler.NextStartAsync()).Succeed();
        TestRun last = await _handler.NextStartAsync();
        Reports second = await NextEndingAsync(before, 2);
        await before.AcceptAsync(second.Sequence - 1);
        before.Cut();

        StubStream after = await NextStreamAsync();
        Assert.Equal([last.Context.TaskId], Ids(await after.WelcomeAsync()));
        Assert.Equal("w1", after.Hello.ResumeWorkerId);
        IEnumerable<Reports> again = after.Seen.Where(static message => message.Reports is not null).Select(static message => message.Reports);

        // Had the cut overtaken the acceptance, both would come again.
        Assert.Equal(second, again.Last());
        Assert.Equal(3, await after.NextCreditAsync());
        last.Succeed();
        Assert.Equal(second.Sequence + 1, (await after.NextReportsAsync()).Sequence);
    }

    [Fact(Timeout = 60_000)]
    public async Task What_was_accepted_is_not_sent_again()
    {
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, _handler, _time);
        StubStream before = await BeginAsync();
        await before.AssignAsync("a");
        (await _handler.NextStartAsync()).Succeed();
        await before.AcceptAsync((await before.NextReportsAsync()).Sequence);

        // What runs is read after the acceptance.
        await before.AssignAsync("b");
        await _handler.NextStartAsync();
        before.Cut();
        StubStream after = await NextStreamAsync();
        WorkerHeartbeat first = await after.WelcomeAsync();
        Assert.Equal((2L, "b"), (first.ReceivedSequence, Assert.Single(Ids(first))));
        Assert.DoesNotContain(after.Seen, static message => message.Reports is not null);
    }

    [Fact(Timeout = 60_000)]
    public async Task As_a_new_worker_it_numbers_its_reports_anew_and_names_the_leases_that_it_holds()
    {
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, _handler, _time);
        StubStream before = await BeginAsync();
        await before.AssignAsync("a");
        (await _handler.NextStartAsync()).Succeed("A");
        await before.AcceptAsync((await before.NextReportsAsync()).Sequence);
        await before.AssignAsync("b", "c");
        TestRun one = await _handler.NextStartAsync(), other = await _handler.NextStartAsync();
        one.Succeed();
        Assert.Equal(2, (await before.NextReportsAsync()).Sequence);
        before.Cut();

        StubStream after = await NextStreamAsync();
        WorkerHeartbeat first = await after.WelcomeAsync("w2");
        Assert.Equal((0L, other.Context.TaskId), (first.ReceivedSequence, Assert.Single(Ids(first))));
        Reports again = Assert.Single(after.Seen, static message => message.Reports is not null).Reports;
        Assert.Equal((1L, one.Context.TaskId), (again.Sequence, Assert.Single(again.Items).Lease.TaskId));
        other.Succeed();
        Assert.Equal(2, (await after.NextReportsAsync()).Sequence);
    }

    [Fact(Timeout = 60_000)]
    public async Task What_ends_while_the_pool_is_away_comes_in_one_message()
    {
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, _handler, _time);
        StubStream before = await BeginAsync();
        await before.AssignAsync("a", "b", "c", "d");
        TestRun[] runs = [await _handler.NextStartAsync(), await _handler.NextStartAsync(), await _handler.NextStartAsync(), await _handler.NextStartAsync()];
        before.Cut();
        StubStream after = await NextStreamAsync();
        await Task.Run(
            () => Array.ForEach(runs, static run =>
            {
                run.Context.WriteLog("ends\n");
                run.Succeed();
            }),
            TestContext.Current.CancellationToken);

        WorkerHeartbeat first = await after.WelcomeAsync();
        Assert.Equal(4, first.Tokens.Count);
        Assert.Equal(4, (await after.NextReportsAsync()).Items.Count(static item => item.Succeeded is not null));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_pool_that_is_silent_for_the_duration_of_a_lease_is_left_for_a_new_stream()
    {
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, _handler, _time);
        StubStream silent = await BeginAsync();
        await silent.AssignAsync("a");
        await _handler.NextStartAsync();
        StubStream next = await NextStreamAsync(0.2);
        Assert.Equal("a", Assert.Single(Ids(await next.WelcomeAsync())));
        Assert.Equal("w1", next.Hello.ResumeWorkerId);
        Assert.Contains(worker.Log.Entries, static entry => entry.Message.Contains("silent", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_pool_that_is_not_there_yet_or_refuses_is_tried_again_as_a_new_worker()
    {
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using var proxy = new TcpProxy(null);
        await using TestWorker worker = await TestWorker.StartAsync(proxy.Address, _handler, _time);
        await proxy.NextConnectionAsync();
        proxy.Lead(server.Address);
        StubStream stream = await NextStreamAsync();
        await stream.WelcomeAsync();

        _pool.Refusal = new Status(StatusCode.PermissionDenied, "no longer");
        stream.Cut();
        await _time.PassUntilAsync(worker.Log.WhenAsync(static entry => entry.Message.Contains("refuses", StringComparison.Ordinal)));
        _pool.Refusal = null;
        StubStream next = await NextStreamAsync();
        await next.WelcomeAsync("w2");
        Assert.Equal("", next.Hello.ResumeWorkerId);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_connection_that_is_reset_is_resumed_over_another()
    {
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using var proxy = new TcpProxy(server.Address);
        await using TestWorker worker = await TestWorker.StartAsync(proxy.Address, _handler, _time);
        StubStream before = await BeginAsync();
        await before.AssignAsync("a");
        TestRun run = await _handler.NextStartAsync();
        proxy.Cut();
        StubStream after = await NextStreamAsync();
        await after.WelcomeAsync();
        Assert.Equal("w1", after.Hello.ResumeWorkerId);
        run.Succeed();
        Assert.Equal("a", Assert.Single((await after.NextReportsAsync()).Items).Lease.TaskId);
    }

    private static IEnumerable<string> Ids(WorkerHeartbeat heartbeat) => heartbeat.Tokens.Select(static token => token.ToStringUtf8()["token of ".Length..]);

    /// <summary>Reads until so many attempts have ended; answers the last message.</summary>
    private static async Task<Reports> NextEndingAsync(StubStream stream, int endings)
    {
        Reports reports = new();
        for (int ended = 0; ended < endings; ended += reports.Items.Count)
            reports = await stream.NextReportsAsync();
        return reports;
    }

    /// <summary>With steps so small that no limit passes meanwhile, unless it is meant to.</summary>
    private Task<StubStream> NextStreamAsync(double stepSeconds = 0.02) => _time.PassUntilAsync(_pool.NextStreamAsync(), stepSeconds);

    private async Task<StubStream> BeginAsync()
    {
        StubStream stream = await NextStreamAsync();
        await stream.WelcomeAsync();
        await stream.NextCreditAsync();
        return stream;
    }
}
