using System.Collections.Concurrent;
using System.Diagnostics;
using GrpcPool.Client.Tests.Infrastructure;
using GrpcPool.Client.Workers;
using GrpcPool.V1;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Client.Tests.Workers;

/// <summary>How a worker runs what it is assigned, and what it tells of it.</summary>
public sealed class WorkTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly StubWorkers _pool = new();

    [Fact(Timeout = 60_000)]
    public async Task A_worker_says_who_it_is_and_asks_for_its_slots()
    {
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(
            server.Address, new TestHandler(), _time, static options => options.Labels["zone"] = "a", static worker => worker.AddHandler<TestHandler>("other"));
        StubStream stream = await _pool.NextStreamAsync();
        WorkerHeartbeat first = await stream.WelcomeAsync();
        Assert.Equal(new Hello { WorkerName = "worker", Kinds = { "other", "test" }, Slots = 4, Labels = { ["zone"] = "a" } }, stream.Hello);
        Assert.Equal(new WorkerHeartbeat(), first);
        Assert.Equal(4, await stream.NextCreditAsync());
    }

    [Fact(Timeout = 60_000)]
    public async Task What_a_handler_makes_is_reported_and_its_slot_is_free()
    {
        var handler = new TestHandler
        {
            OnRun = static (context, _) => context.TaskId switch
            {
                "good" => ValueTask.FromResult(WorkOutcome.Succeeded(context.Payload, context.ContentType)),
                "bad" => ValueTask.FromResult(WorkOutcome.Failed("no such image")),
                "large" => ValueTask.FromResult(WorkOutcome.Succeeded(new byte[StubStream.ResultBytesMax + 1])),
                _ => throw new InvalidDataException("thrown"),
            },
        };
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, handler, _time);
        StubStream stream = await BeginAsync();
        await stream.AssignAsync("good", "bad", "large", "thrower");
        Dictionary<string, Report> reports = await EndingsAsync(stream, 4);

        Assert.Equal(("good", "text/plain"), (reports["good"].Succeeded.Result.ToStringUtf8(), reports["good"].Succeeded.ContentType));
        Assert.Equal(new Failure { Code = FailureCode.HandlerError, Message = "no such image" }, reports["bad"].Failed);
        Assert.Equal((FailureCode.ResultTooLarge, false), (reports["large"].Failed.Code, reports["large"].Failed.Retryable));
        Assert.Equal((FailureCode.HandlerError, true, "thrown"), (reports["thrower"].Failed.Code, reports["thrower"].Failed.Retryable, reports["thrower"].Failed.Message));
        Assert.Contains(nameof(InvalidDataException), reports["thrower"].Failed.Detail, StringComparison.Ordinal);
        Assert.All(reports, static report => Assert.Equal((report.Key, 1, StubStream.Token(report.Key)), (report.Value.Lease.TaskId, report.Value.Lease.Attempt, report.Value.Lease.Token)));
        int free = stream.Seen.Where(static message => message.Credit is not null).Sum(static message => message.Credit.Slots);
        while (free < 8)
            free += await stream.NextCreditAsync();
        Assert.Equal(8, free);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_handler_continues_the_trace_that_its_task_came_with()
    {
        const string trace = "0af7651916cd43dd8448eb211c80319c", attempt = "b7ad6b7169203331";
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "GrpcPool.Client",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span => spans.Enqueue(span),
        };
        ActivitySource.AddActivityListener(listener);
        var current = new ConcurrentDictionary<string, string?>();
        var handler = new TestHandler
        {
            OnRun = (context, _) =>
            {
                current[context.TaskId] = Activity.Current?.TraceId.ToString();
                return ValueTask.FromResult(context.TaskId == "bad" ? WorkOutcome.Failed("no such image") : WorkOutcome.Succeeded());
            },
        };
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, handler, _time);
        StubStream stream = await BeginAsync();
        foreach (string id in (string[])["good", "bad"])
            await stream.AssignAsync(new TaskInfo { Id = id, Kind = "test", Attempt = 1, Headers = { ["traceparent"] = $"00-{trace}-{attempt}-01" } });
        await stream.AssignAsync(new TaskInfo { Id = "untraced", Kind = "test", Attempt = 1 });
        await stream.AssignAsync(new TaskInfo { Id = "strange", Kind = "test", Attempt = 1, Headers = { ["traceparent"] = "no trace at all" } });
        await EndingsAsync(stream, 4);

        Assert.Equal((trace, trace, null, null), (current["good"], current["bad"], current["untraced"], current["strange"]));
        Dictionary<string, Activity> told = spans.Where(static span => $"{span.TraceId}" == trace).ToDictionary(static span => (string)span.GetTagItem("grpcpool.task.id")!);
        Assert.Equal(("work test", attempt, ActivityStatusCode.Unset), (told["good"].DisplayName, $"{told["good"].ParentSpanId}", told["good"].Status));
        Assert.Equal((ActivityStatusCode.Error, "no such image"), (told["bad"].Status, told["bad"].StatusDescription));
        Assert.Equal(2, told.Count);
    }

    [Fact(Timeout = 60_000)]
    public async Task Each_attempt_has_a_scope_of_its_own_that_is_gone_when_its_end_is_told()
    {
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(
            server.Address, new TestHandler(), _time, build: static worker => worker.AddHandler<ScopedHandler>("scoped").Services.AddScoped<ScopeMark>());
        StubStream stream = await BeginAsync();
        await stream.AssignAsync("scoped", ["a", "b"]);
        await EndingsAsync(stream, 2);
        Assert.Equal(2, ScopedHandler.Marks.Distinct().Count());
        Assert.All(ScopedHandler.Marks, static mark => Assert.True(mark.IsDisposed));
    }

    [Fact(Timeout = 60_000)]
    public async Task Progress_and_log_go_out_at_once_then_at_a_bounded_rate_and_before_the_end()
    {
        var handler = new TestHandler();
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, handler, _time);
        StubStream stream = await BeginAsync();
        await stream.AssignAsync("a");
        TestRun run = await handler.NextStartAsync();
        run.Context.ReportProgress(0.1, "first");
        Assert.Equal("first", Assert.Single((await stream.NextReportsAsync()).Items).Progress.Message);

        for (int i = 2; i < 100; i++)
        {
            run.Context.ReportProgress(i / 100.0, $"{i}");
            run.Context.WriteLog($"{i}\n");
        }

        _time.Advance(TimeSpan.FromMilliseconds(100));
        Reports next = await stream.NextReportsAsync();
        Assert.Equal(2, next.Sequence);
        Assert.Equal(["Log", "Progress"], next.Items.Select(static item => item.ReportCase.ToString()));
        Assert.Equal(string.Concat(Enumerable.Range(2, 98).Select(static i => $"{i}\n")), next.Items[0].Log.ToStringUtf8());
        Assert.Equal((0.99, "99"), (next.Items[1].Progress.Fraction, next.Items[1].Progress.Message));

        run.Context.WriteLog("last words\n");
        run.Context.ReportProgress(7, new string('x', 300));
        run.Succeed();
        Reports last = await stream.NextReportsAsync();
        Assert.Equal(["Log", "Progress", "Succeeded"], last.Items.Select(static item => item.ReportCase.ToString()));
        Assert.Equal((1, 256), (last.Items[1].Progress.Fraction, last.Items[1].Progress.Message.Length));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_flood_of_log_keeps_its_end_and_no_more_than_its_bound()
    {
        var handler = new TestHandler();
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, handler, _time);
        StubStream stream = await BeginAsync();
        await stream.AssignAsync("a");
        TestRun run = await handler.NextStartAsync();
        run.Context.WriteLog("opened\n");
        await stream.NextReportsAsync();
        for (int i = 0; i < 200_000; i++)
            run.Context.WriteLog($"{i:D9}\n");
        run.Succeed();
        byte[] log = (await stream.NextReportsAsync()).Items[0].Log.ToByteArray();
        Assert.Equal(256 * 1024, log.Length);
        Assert.EndsWith("000199998\n000199999\n", System.Text.Encoding.UTF8.GetString(log), StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_cancelled_attempt_hears_why_and_its_end_is_told()
    {
        var handler = new TestHandler
        {
            OnRun = static async (context, stopping) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                context.WriteLog($"stopped: {context.StopReason}");
                stopping.ThrowIfCancellationRequested();
                return WorkOutcome.Succeeded();
            },
        };
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, handler, _time);
        StubStream stream = await BeginAsync();
        await stream.AssignAsync("a");
        await stream.CancelAsync("a", "no longer wanted");
        Reports reports = await stream.NextReportsAsync();
        while (reports.Items[^1].Failed is null)
            reports = await stream.NextReportsAsync();
        Assert.Equal(("the attempt was stopped", true), (reports.Items[^1].Failed.Message, reports.Items[^1].Failed.Retryable));
        Assert.Contains(stream.Seen.SelectMany(static message => message.Reports?.Items ?? []), static item => item.Log.ToStringUtf8() == "stopped: no longer wanted");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_lost_lease_stops_the_attempt_which_says_nothing_more_but_keeps_its_slot()
    {
        var handler = new TestHandler();
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, handler, _time);
        StubStream stream = await BeginAsync();
        await stream.AssignAsync("lost");
        TestRun lost = await handler.NextStartAsync();
        await stream.LoseAsync("lost");
        await lost.KilledAsync();
        Assert.True(lost.Stopping.IsCancellationRequested);

        await stream.AssignAsync("kept");
        TestRun kept = await handler.NextStartAsync();
        kept.Succeed();
        Assert.Equal("kept", Assert.Single((await stream.NextReportsAsync()).Items).Lease.TaskId);
        Assert.Equal(1, await stream.NextCreditAsync());

        lost.Context.ReportProgress(0.5);
        lost.Succeed("too late");
        Assert.Equal(1, await stream.NextCreditAsync());
        Assert.Single(stream.Seen, static message => message.Reports is not null);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_heartbeat_names_what_is_held_and_what_was_received()
    {
        var handler = new TestHandler();
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, handler, _time);
        StubStream stream = await BeginAsync();
        await stream.AssignAsync("a", "b");
        await stream.AssignAsync("c");
        TestRun[] runs = [await handler.NextStartAsync(), await handler.NextStartAsync(), await handler.NextStartAsync()];
        runs.Single(static run => run.Context.TaskId == "b").Succeed();
        await stream.NextReportsAsync();
        _time.Advance(StubStream.HeartbeatInterval);
        WorkerHeartbeat heartbeat = await stream.NextHeartbeatAsync();
        Assert.Equal(2, heartbeat.ReceivedSequence);
        Assert.Equal([StubStream.Token("a"), StubStream.Token("c")], heartbeat.Tokens.OrderBy(static token => token.ToStringUtf8()));
    }

    [Fact(Timeout = 60_000)]
    public async Task Attempts_that_block_their_threads_do_not_make_the_worker_deaf()
    {
        using var held = new ManualResetEventSlim();
        var began = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var handler = new TestHandler
        {
            OnRun = (_, _) =>
            {
                began.TrySetResult();
                held.Wait(CancellationToken.None);
                return ValueTask.FromResult(WorkOutcome.Succeeded());
            },
        };
        await using StubServer server = await StubServer.StartAsync(new StubPool(), workers: _pool);
        await using TestWorker worker = await TestWorker.StartAsync(server.Address, handler, _time, static options => options.Slots = 16);
        StubStream stream = await BeginAsync();
        await stream.AssignAsync(Enumerable.Range(0, 16).Select(static i => $"t{i}"));
        await began.Task.WaitAsync(TestClient.Stop);
        _time.Advance(StubStream.HeartbeatInterval);
        Assert.Equal(16, (await stream.NextHeartbeatAsync()).Tokens.Count);
        held.Set();
        Assert.Equal(16, (await EndingsAsync(stream, 16)).Count);
    }

    private async Task<StubStream> BeginAsync()
    {
        StubStream stream = await _pool.NextStreamAsync();
        await stream.WelcomeAsync();
        await stream.NextCreditAsync();
        return stream;
    }

    private static async Task<Dictionary<string, Report>> EndingsAsync(StubStream stream, int count)
    {
        var endings = new Dictionary<string, Report>();
        while (endings.Count < count)
        {
            foreach (Report report in (await stream.NextReportsAsync()).Items)
                endings.Add(report.Lease.TaskId, report);
        }

        return endings;
    }

    private sealed class ScopeMark : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }

    private sealed class ScopedHandler : IWorkHandler
    {
        private readonly ScopeMark _mark;

        public ScopedHandler(ScopeMark mark)
        {
            _mark = mark;
            Marks.Enqueue(mark);
        }

        public static System.Collections.Concurrent.ConcurrentQueue<ScopeMark> Marks { get; } = new();

        public ValueTask<WorkOutcome> RunAsync(WorkContext context, CancellationToken stopping) =>
            ValueTask.FromResult(_mark.IsDisposed ? WorkOutcome.Failed("disposed of too early") : WorkOutcome.Succeeded());
    }
}
