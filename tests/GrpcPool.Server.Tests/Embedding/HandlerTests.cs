using Google.Protobuf;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcPool.Server.Tests.Embedding;

public sealed class HandlerTests
{
    private const int TimeoutMs = 30_000;

    private readonly Attempts _attempts = new();
    private readonly Disposals _disposals = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = TimeoutMs)]
    public async Task Each_attempt_has_a_scope_of_its_own_that_is_disposed_of_when_it_has_ended()
    {
        await using EmbeddedHost host = await StartAsync();
        Task<TaskInfo>[] tasks = [.. Enumerable.Range(0, 2).Select(_ => host.RunAsync(new TaskSpec { Kind = "wait" }))];
        var first = await _attempts.Started.Reader.ReadAsync(Stop);
        var second = await _attempts.Started.Reader.ReadAsync(Stop);
        Assert.NotSame(first.Handler, second.Handler);
        Assert.NotSame(first.Repository, second.Repository);
        Assert.False(_disposals.Told.Reader.TryPeek(out _));

        _attempts.Go.SetResult();
        Assert.All(await Task.WhenAll(tasks), static task => Assert.Equal(TaskState.Succeeded, task.State));
        Repository[] disposed = [await _disposals.Told.Reader.ReadAsync(Stop), await _disposals.Told.Reader.ReadAsync(Stop)];
        Assert.Equivalent(new[] { first.Repository, second.Repository }.ToHashSet(), disposed.ToHashSet());
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_retried_task_gets_a_new_scope_and_the_one_of_a_fault_is_disposed_of()
    {
        await using EmbeddedHost host = await StartAsync();
        TaskInfo task = await host.RunAsync(new TaskSpec { Kind = "throw", Retry = new RetryPolicy { MaxAttempts = 2, InitialBackoff = new() } });
        Assert.Equal((TaskState.Failed, 2, FailureCode.HandlerError, "broken Repository"), (task.State, task.Attempt, task.Failure.Code, task.Failure.Message));
        Assert.NotSame(await _disposals.Told.Reader.ReadAsync(Stop), await _disposals.Told.Reader.ReadAsync(Stop));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Cancelling_fires_the_token_and_disposes_of_the_scope()
    {
        await using EmbeddedHost host = await StartAsync();
        Task<TaskInfo> running = host.RunAsync(new TaskSpec { Id = "long", Kind = "wait" });
        var attempt = await _attempts.Started.Reader.ReadAsync(Stop);
        Assert.False(attempt.Stopping.IsCancellationRequested);
        await host.Client.CancelAsync(new CancelRequest { Id = "long" }, TestServer.Call);
        Assert.Equal(TaskState.Cancelled, (await running).State);
        Assert.True(attempt.Stopping.IsCancellationRequested);
        Assert.Same(attempt.Repository, await _disposals.Told.Reader.ReadAsync(Stop));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_host_that_stops_lets_what_runs_come_to_its_end()
    {
        await using EmbeddedHost host = await StartAsync();
        string id = (await host.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "wait" } }, TestServer.Call)).Task.Id;
        await _attempts.Started.Reader.ReadAsync(Stop);
        Task stopping = host.App.StopAsync(Stop);
        Task<WaitResponse> end = host.Client.WaitAsync(new WaitRequest { Id = id }, TestServer.Call).ResponseAsync;
        WaitResponse early = await host.Client.WaitAsync(new WaitRequest { Id = id, Timeout = new() }, TestServer.Call);
        Assert.False(early.Finished);
        _attempts.Go.SetResult();
        Assert.Equal(TaskState.Succeeded, (await end).Task.State);
        await stopping;
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Progress_is_seen_while_the_handler_runs()
    {
        await using EmbeddedHost host = await StartAsync();
        Task<TaskInfo> running = host.RunAsync(new TaskSpec { Id = "long", Kind = "wait" });
        await _attempts.Started.Reader.ReadAsync(Stop);
        TaskInfo task = (await host.Client.GetStatusAsync(new GetStatusRequest { Id = "long" }, TestServer.Call)).Task;
        Assert.Equal((TaskState.Running, 0.5, "half"), (task.State, task.Progress.Fraction, task.Progress.Message));
        _attempts.Go.SetResult();
        Assert.Equal(TaskState.Succeeded, (await running).State);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_run_timeout_set_in_code_holds()
    {
        await using EmbeddedHost host = await StartAsync();
        TaskInfo task = await host.RunAsync(new TaskSpec { Kind = "short" });
        Assert.Equal((TaskState.Failed, FailureCode.Timeout), (task.State, task.Failure.Code));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_typed_handler_answers_in_json()
    {
        await using EmbeddedHost host = await StartAsync();
        TaskInfo task = await host.RunAsync(new TaskSpec { Kind = "divide", Payload = ByteString.CopyFromUtf8("""{"A": 42, "B": 6}""") });
        Assert.Equal(("""{"Value":7}""", "application/json"), (task.Result.ToStringUtf8(), task.ResultContentType));
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("""{"A": 42, "B": "six"}""")]
    public async Task A_payload_that_cannot_be_read_fails_for_good(string payload)
    {
        await using EmbeddedHost host = await StartAsync();
        Assert.Equal((TaskState.Failed, FailureCode.InvalidPayload), await EndOfAsync(host, payload));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_failure_that_a_handler_returns_is_final_unless_it_says_otherwise()
    {
        await using EmbeddedHost host = await StartAsync();
        Assert.Equal((TaskState.Failed, FailureCode.HandlerError), await EndOfAsync(host, """{"A": 42, "B": 0}"""));
    }

    /// <summary>The end of a task that may be tried twice, and was tried once.</summary>
    private static async Task<(TaskState State, FailureCode Code)> EndOfAsync(EmbeddedHost host, string payload)
    {
        TaskInfo task = await host.RunAsync(new TaskSpec { Kind = "divide", Payload = ByteString.CopyFromUtf8(payload), Retry = new RetryPolicy { MaxAttempts = 2 } });
        Assert.Equal(1, task.Attempt);
        return (task.State, task.Failure.Code);
    }

    private Task<EmbeddedHost> StartAsync() => EmbeddedHost.StartAsync(pool =>
    {
        pool.Services.AddSingleton(_attempts).AddSingleton(_disposals).AddScoped<Repository>();
        pool.AddHandler<WaitingHandler>("wait")
            .AddHandler<WaitingHandler>("short", static handler => handler.RunTimeout = TimeSpan.FromMilliseconds(1))
            .AddHandler<ThrowingHandler>("throw")
            .AddHandler<DivideHandler>("divide");
    });
}
