using Grpc.Core;
using GrpcPool.Client.Tests.Infrastructure;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Client.Tests;

public sealed class SubmitManyTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact(Timeout = 120_000)]
    public async Task Ten_thousand_tasks_over_random_cuts_are_each_there_exactly_once()
    {
        const int Tasks = 10_000;
        await using TestServer server = await TestServer.StartAsync();
        await using var proxy = new TcpProxy(server.GrpcAddress);
        using GrpcPoolClient client = TestClient.Of(proxy.Address, _time, static options => options.RetryFor = Timeout.InfiniteTimeSpan);
        var random = new Random(7);
        var outcomes = new List<SubmitOutcome>();
        Task<bool> taken = TakeAsync();
        await _time.PassUntilAsync(taken);

        Assert.Equal(Enumerable.Range(0, Tasks).Select(static i => (long)i), outcomes.Select(static outcome => outcome.Index));
        Assert.All(outcomes, static outcome => Assert.Equal((true, $"t{outcome.Index}"), (outcome.Accepted, outcome.Id)));
        Assert.Equal(Tasks, (await server.Client.CountAsync(new CountRequest(), TestServer.Call)).Total);

        async Task<bool> TakeAsync()
        {
            await foreach (SubmitOutcome outcome in client.SubmitManyAsync(Specs(Tasks), TestClient.Stop))
            {
                outcomes.Add(outcome);
                if (random.Next(500) == 0)
                    proxy.Cut();
            }

            return true;
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task What_a_full_queue_refuses_is_sent_again()
    {
        await using TestServer server = await TestServer.StartAsync(static options =>
        {
            options.Pool.Slots = 1;
            options.Queues["default"] = new QueueOptions { Capacity = 1, WhenFull = FullPolicy.Reject };
        });
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress, _time, static options => options.RetryFor = Timeout.InfiniteTimeSpan);
        List<SubmitOutcome> outcomes = await _time.PassUntilAsync(client.SubmitManyAsync(Specs(20), TestClient.Stop).ToListAsync(TestClient.Stop).AsTask());
        Assert.Equal(20, outcomes.Count(static outcome => outcome is { Accepted: true, Created: true }));
    }

    [Fact(Timeout = 60_000)]
    public async Task What_stays_refused_for_too_long_is_an_outcome_as_is_each_other_error()
    {
        await using TestServer server = await TestServer.StartAsync(static options =>
        {
            options.Pool.Slots = 1;
            options.Queues["default"] = new QueueOptions { Capacity = 1, WhenFull = FullPolicy.Reject };
        });
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress, _time, static options => options.RetryFor = TimeSpan.FromSeconds(5));
        IEnumerable<TaskSpec> specs = [TestClient.Gate("runs"), TestClient.Gate("waits"), TestClient.Gate("finds no room"), TestClient.Gate("full"), new TaskSpec { Id = "odd", Kind = "unknown" }];
        List<SubmitOutcome> outcomes = await _time.PassUntilAsync(client.SubmitManyAsync(specs.ToAsyncEnumerable(), TestClient.Stop).ToListAsync(TestClient.Stop).AsTask());
        (string, int)[] expected = [("finds no room", (int)StatusCode.InvalidArgument), ("full", (int)StatusCode.ResourceExhausted), ("odd", (int)StatusCode.NotFound), ("runs", 0), ("waits", 0)];
        Assert.Equal(expected, outcomes.Select(static outcome => (outcome.Id, outcome.Error?.Code ?? 0)).Order());
    }

    [Fact(Timeout = 60_000)]
    public async Task No_task_is_no_outcome()
    {
        await using var proxy = new TcpProxy(null);
        using GrpcPoolClient client = TestClient.Of(proxy.Address);
        Assert.Empty(await client.SubmitManyAsync(Specs(0), TestClient.Stop).ToListAsync(TestClient.Stop));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_fault_of_the_source_ends_the_submission_with_it()
    {
        await using TestServer server = await TestServer.StartAsync();
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress);
        IAsyncEnumerable<TaskSpec> broken = Specs(10).Select(static spec => spec.Id == "t7" ? throw new FormatException("line 7") : spec);
        await Assert.ThrowsAsync<FormatException>(async () => await client.SubmitManyAsync(broken, TestClient.Stop).ToListAsync(TestClient.Stop));
    }

    [Fact(Timeout = 60_000)]
    public async Task The_source_is_read_no_further_than_the_window()
    {
        await using TestServer server = await TestServer.StartAsync();
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress);
        int read = 0;
        IAsyncEnumerable<TaskSpec> source = Specs(100_000).Select(spec =>
        {
            Interlocked.Increment(ref read);
            return spec;
        });
        await client.SubmitManyAsync(source, TestClient.Stop).FirstAsync(TestClient.Stop);
        Assert.InRange(Volatile.Read(ref read), 1, BulkItem.PlacesMax + 2);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_server_that_stays_away_ends_the_submission_with_its_error()
    {
        await using var proxy = new TcpProxy(null);
        using GrpcPoolClient client = TestClient.Of(proxy.Address, _time);
        Task<List<SubmitOutcome>> outcomes = client.SubmitManyAsync(Specs(3), TestClient.Stop).ToListAsync(TestClient.Stop).AsTask();
        RpcException error = await Assert.ThrowsAsync<RpcException>(() => _time.PassUntilAsync(outcomes));
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
    }

    [Fact(Timeout = 60_000)]
    public async Task Who_cancels_a_submission_gets_a_cancellation()
    {
        await using TestServer server = await TestServer.StartAsync();
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress);
        using var cancellation = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (SubmitOutcome _ in client.SubmitManyAsync(Specs(100_000), cancellation.Token))
                await cancellation.CancelAsync();
        });
    }

    private static IAsyncEnumerable<TaskSpec> Specs(int count) => Enumerable.Range(0, count).Select(static i => TestClient.Echo(id: $"t{i}")).ToAsyncEnumerable();
}
