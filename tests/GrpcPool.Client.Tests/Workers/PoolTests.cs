using System.Text;
using Google.Protobuf;
using Grpc.Core;
using GrpcPool.Client.Tests.Infrastructure;
using GrpcPool.Client.Workers;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Client.Tests.Workers;

/// <summary>A worker and the real server.</summary>
public sealed class PoolTests
{
    private static readonly TestHandler Echo = new()
    {
        OnRun = static (context, _) => ValueTask.FromResult(WorkOutcome.Succeeded(context.Payload, context.ContentType)),
    };

    private readonly TestHandler _handler = new();

    [Fact(Timeout = 60_000)]
    public async Task What_is_submitted_is_run_by_the_worker_and_its_progress_log_and_result_are_there()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using TestWorker worker = await TestWorker.StartAsync(server.GrpcAddress, _handler, TimeProvider.System);
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress);
        await DeclaredAsync(worker);
        TaskHandle task = await client.SubmitAsync(Spec("a"), TestClient.Stop);
        TestRun run = await _handler.NextStartAsync();
        run.Context.WriteLog("half way\n");
        run.Context.ReportProgress(0.5, "half");
        await using IAsyncEnumerator<TaskInfo> watch = task.WatchAsync(cancellationToken: TestClient.Stop).GetAsyncEnumerator(TestClient.Stop);
        do
            Assert.True(await watch.MoveNextAsync());
        while (watch.Current.Progress?.Message != "half");
        run.Succeed("made");
        TaskInfo end = await task;
        Assert.Equal((TaskState.Succeeded, "made", "worker", 1), (end.State, end.Result.ToStringUtf8(), end.Worker, end.Attempt));
        Assert.Equal("half way\n", await LogOfAsync(client, "a"));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_failure_is_tried_again_as_the_policy_says_and_a_cancelled_task_is_stopped()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using TestWorker worker = await TestWorker.StartAsync(server.GrpcAddress, _handler, TimeProvider.System);
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress);
        await DeclaredAsync(worker);
        TaskSpec spec = Spec("a");
        spec.Retry = new RetryPolicy { MaxAttempts = 3, InitialBackoff = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.Zero) };
        TaskHandle task = await client.SubmitAsync(spec, TestClient.Stop);
        (await _handler.NextStartAsync()).Ending.SetException(new InvalidDataException("first"));
        TestRun second = await _handler.NextStartAsync();
        Assert.Equal(2, second.Context.Attempt);
        await task.CancelAsync("enough", cancellationToken: TestClient.Stop);
        await second.StoppedAsync();
        second.Ending.SetCanceled(second.Stopping);
        TaskInfo end = await task;
        Assert.Equal((TaskState.Cancelled, "first"), (end.State, end.Attempts[0].Failure.Message));
    }

    [Fact(Timeout = 120_000)]
    public async Task Over_random_cuts_each_task_runs_once_and_each_end_is_told_once()
    {
        const int Tasks = 2000;
        await using TestServer server = await TestServer.StartAsync(static options => options.Workers.ResumeGrace = TimeSpan.FromSeconds(25));
        await using var proxy = new TcpProxy(server.GrpcAddress);
        var handler = new TestHandler { OnRun = Echo.OnRun };
        await using TestWorker worker = await TestWorker.StartAsync(proxy.Address, handler, TimeProvider.System, static options => options.Slots = 64);
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress);
        await DeclaredAsync(worker);
        var random = new Random(7);
        await foreach (SubmitOutcome outcome in client.SubmitManyAsync(Enumerable.Range(0, Tasks).Select(static i => Spec($"t{i}")).ToAsyncEnumerable(), TestClient.Stop))
        {
            Assert.True(outcome.Accepted);
            if (random.Next(100) == 0)
                proxy.Cut();
        }

        for (int i = 0; i < Tasks; i++)
        {
            TaskInfo end = await client.GetTask($"t{i}").WaitAsync(TestClient.Stop);
            Assert.Equal((TaskState.Succeeded, $"t{i}", 0, 1), (end.State, end.Result.ToStringUtf8(), end.Losses, end.Attempt));
        }

        Assert.Equal(Tasks, handler.Ran.Count);
        Assert.Equal(Tasks, handler.Ran.Distinct().Count());
    }

    [Fact(Timeout = 60_000)]
    public async Task Who_comes_back_too_late_hears_that_its_lease_is_lost_while_the_task_runs_again()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Workers.ResumeGrace = TimeSpan.Zero);
        await using var proxy = new TcpProxy(server.GrpcAddress);
        await using TestWorker worker = await TestWorker.StartAsync(proxy.Address, _handler, TimeProvider.System);
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress);
        await DeclaredAsync(worker);
        TaskSpec spec = Spec("a");
        spec.Retry = new RetryPolicy { InitialBackoff = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.Zero) };
        TaskHandle task = await client.SubmitAsync(spec, TestClient.Stop);
        TestRun first = await _handler.NextStartAsync();
        proxy.Cut();
        await first.KilledAsync();
        TestRun again = await _handler.NextStartAsync();
        first.Succeed("stale");
        again.Succeed("fresh");
        TaskInfo end = await task;
        Assert.Equal(("fresh", 1, 1), (end.Result.ToStringUtf8(), end.Losses, end.Attempt));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_host_that_stops_amid_a_task_finishes_it_and_leaves_the_others_to_another()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using TestWorker leaving = await TestWorker.StartAsync(server.GrpcAddress, _handler, TimeProvider.System, static options => options.Slots = 1);
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress);
        await DeclaredAsync(leaving);
        TaskHandle runs = await client.SubmitAsync(Spec("runs"), TestClient.Stop), waits = await client.SubmitAsync(Spec("waits"), TestClient.Stop);
        TestRun run = await _handler.NextStartAsync();
        Task stopping = leaving.StopAsync();
        await using TestWorker other = await TestWorker.StartAsync(server.GrpcAddress, Echo, TimeProvider.System, static options => options.Name = "other");
        TaskInfo second = await waits;
        Assert.Equal((TaskState.Succeeded, "other", 0), (second.State, second.Worker, second.Losses));
        run.Succeed("in time");
        await stopping;
        TaskInfo first = await runs;
        Assert.Equal((TaskState.Succeeded, "in time", "worker", 0), (first.State, first.Result.ToStringUtf8(), first.Worker, first.Losses));
    }

    [Fact(Timeout = 60_000)]
    public async Task What_a_host_abandons_when_it_stops_runs_elsewhere_at_once()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using TestWorker leaving = await TestWorker.StartAsync(server.GrpcAddress, _handler, TimeProvider.System, static options => options.DrainTimeout = TimeSpan.Zero);
        using GrpcPoolClient client = TestClient.Of(server.GrpcAddress);
        await DeclaredAsync(leaving);
        TaskHandle task = await client.SubmitAsync(Spec("a"), TestClient.Stop);
        TestRun run = await _handler.NextStartAsync();
        Task stopping = leaving.StopAsync();
        await run.StoppedAsync();
        run.Ending.SetCanceled(run.Stopping);
        await stopping;
        await using TestWorker other = await TestWorker.StartAsync(server.GrpcAddress, Echo, TimeProvider.System);
        TaskInfo end = await task;
        Assert.Equal((TaskState.Succeeded, "a", 1), (end.State, end.Result.ToStringUtf8(), end.Losses));
    }

    private static TaskSpec Spec(string id) => new() { Id = id, Kind = "test", Payload = ByteString.CopyFromUtf8(id) };

    private static Task<LogEntry> DeclaredAsync(TestWorker worker) => worker.Log.WhenAsync(static entry => entry.Message.Contains("is connected", StringComparison.Ordinal));

    private static async Task<string> LogOfAsync(GrpcPoolClient client, string id)
    {
        var text = new StringBuilder();
        using AsyncServerStreamingCall<ReadLogResponse> call = client.Service.ReadLog(new ReadLogRequest { Id = id }, cancellationToken: TestClient.Stop);
        await foreach (ReadLogResponse piece in call.ResponseStream.ReadAllAsync(TestClient.Stop))
            text.Append(piece.Data.ToStringUtf8());
        return text.ToString();
    }
}
