using Google.Protobuf;
using Grpc.Core;
using GrpcPool.Client.Testing;
using GrpcPool.Client.Tests.Infrastructure;
using GrpcPool.Client.Workers;
using GrpcPool.V1;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace GrpcPool.Client.Tests.Testing;

public sealed class InMemoryPoolTests
{
    private static readonly TestHandler Echo = new()
    {
        OnRun = static (context, _) =>
        {
            context.ReportProgress(0.5, "half");
            context.WriteLog("echoes\n");
            return ValueTask.FromResult(WorkOutcome.Succeeded(context.Payload, context.ContentType));
        },
    };

    [Fact(Timeout = 60_000)]
    public async Task A_submitted_task_is_run_and_its_handle_completes()
    {
        using InMemoryPool pool = new InMemoryPool().AddHandler("echo", Echo);
        TaskHandle task = await pool.Client.SubmitAsync(TestClient.Echo("hello"), TestClient.Stop);
        TaskInfo end = await task;
        Assert.Equal((TaskState.Succeeded, "hello", 1), (end.State, end.Result.ToStringUtf8(), end.Attempt));
        Assert.Equal(("echo", task.Id), (Assert.Single(pool.Submitted).Kind, pool.Submitted[0].Id));
        Assert.Equal(("half", "echoes\n"), (Assert.Single(Assert.Single(pool.Attempts).Progress).Message, pool.Attempts[0].Log));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_task_that_no_handler_runs_waits_until_the_test_ends_it()
    {
        using var pool = new InMemoryPool();
        TaskHandle task = await pool.Client.SubmitAsync(new TaskSpec { Kind = "mail", Retry = new RetryPolicy { MaxAttempts = 2 } }, TestClient.Stop);
        pool.End(task.Id, WorkOutcome.Failed("busy", retryable: true));
        Assert.Equal((TaskState.Queued, 1), ((await task.GetStatusAsync(cancellationToken: TestClient.Stop)).State, (await task.GetStatusAsync(cancellationToken: TestClient.Stop)).Attempt));
        pool.End(task.Id, WorkOutcome.Failed("still busy", retryable: true));
        TaskFailedException failed = await Assert.ThrowsAsync<TaskFailedException>(() => task.GetResultAsync(TestClient.Stop));
        Assert.Equal(("still busy", 2), (failed.Task.Failure.Message, failed.Task.Attempt));
        Assert.Throws<InvalidOperationException>(() => pool.End(task.Id, WorkOutcome.Succeeded()));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_unique_key_has_one_live_task()
    {
        using var pool = new InMemoryPool();
        var mail = new TaskSpec { Kind = "mail", UniqueKey = "k" };
        TaskHandle first = await pool.Client.SubmitAsync(mail, TestClient.Stop);
        Assert.Equal(first.Id, (await pool.Client.SubmitAsync(mail, TestClient.Stop)).Id);
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => pool.Client.SubmitAsync(new TaskSpec(mail) { OnConflict = ConflictPolicy.Reject }, TestClient.Stop));
        Assert.Equal(StatusCode.AlreadyExists, refused.StatusCode);
        TaskHandle second = await pool.Client.SubmitAsync(new TaskSpec(mail) { OnConflict = ConflictPolicy.Replace }, TestClient.Stop);
        Assert.Equal("replaced", (await first).Cancellation.Reason);
        pool.End(second.Id, WorkOutcome.Succeeded());
        Assert.NotEqual(second.Id, (await pool.Client.SubmitAsync(mail, TestClient.Stop)).Id);
    }

    [Fact(Timeout = 60_000)]
    public async Task Dependencies_are_refused_and_not_ignored()
    {
        using var pool = new InMemoryPool();
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => pool.Client.SubmitAsync(new TaskSpec { Kind = "mail", After = { "other" } }, TestClient.Stop));
        Assert.Equal(StatusCode.Unimplemented, refused.StatusCode);
    }

    [Fact(Timeout = 60_000)]
    public async Task Attempts_follow_one_another_as_the_policy_says()
    {
        using InMemoryPool pool = new InMemoryPool().AddHandler("test", new TestHandler
        {
            OnRun = static (context, _) => context.Attempt < 3 ? throw new InvalidDataException("not yet") : ValueTask.FromResult(WorkOutcome.Succeeded()),
        });
        TaskHandle task = await pool.Client.SubmitAsync(new TaskSpec { Kind = "test", Retry = new RetryPolicy { MaxAttempts = 3 } }, TestClient.Stop);
        Assert.Equal((TaskState.Succeeded, 3), ((await task).State, pool.Attempts.Count));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_running_task_is_watched_and_cancelled()
    {
        var handler = new TestHandler { OnRun = static async (_, stopping) => { await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping); return WorkOutcome.Succeeded(); } };
        using InMemoryPool pool = new InMemoryPool().AddHandler("test", handler);
        TaskHandle task = await pool.Client.SubmitAsync(new TaskSpec { Kind = "test" }, TestClient.Stop);
        var states = new List<TaskState>();
        await foreach (TaskInfo now in task.WatchAsync(cancellationToken: TestClient.Stop))
        {
            states.Add(now.State);
            if (now.State == TaskState.Running && now.Cancellation is null)
                await task.CancelAsync("enough", cancellationToken: TestClient.Stop);
        }

        Assert.Equal([TaskState.Running, TaskState.Running, TaskState.Cancelled], states);
        Assert.Equal("enough", Assert.Single(pool.Attempts).StopReason);
    }

    [Fact(Timeout = 60_000)]
    public async Task Many_are_submitted_at_once_and_watched_by_filter()
    {
        using InMemoryPool pool = new InMemoryPool().AddHandler("echo", Echo);
        await using IAsyncEnumerator<TaskEvent> watch = pool.Client.WatchAsync(new TaskFilter { Kinds = { "echo" } }, cancellationToken: TestClient.Stop).GetAsyncEnumerator(TestClient.Stop);
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal(WatchEventType.Synced, watch.Current.Type);
        List<SubmitOutcome> outcomes = await pool.Client.SubmitManyAsync(Enumerable.Range(0, 100).Select(static i => TestClient.Echo(id: $"t{i}")).ToAsyncEnumerable(), TestClient.Stop).ToListAsync(TestClient.Stop);
        Assert.All(outcomes, static outcome => Assert.True(outcome.Created));
        var ended = new HashSet<string>();
        while (ended.Count < 100 && await watch.MoveNextAsync())
        {
            if (watch.Current.Task!.State.IsFinal())
                ended.Add(watch.Current.Task.Id);
        }

        IReadOnlyList<SubmitOutcome> again = await pool.Client.SubmitBatchAsync([TestClient.Echo(id: "t1"), TestClient.Echo("other", "t2")], cancellationToken: TestClient.Stop);
        Assert.Equal([(false, true), (false, false)], again.Select(static outcome => (outcome.Created, outcome.Accepted)));
        Assert.Equal((int)StatusCode.AlreadyExists, again[1].Error!.Code);
        Assert.Equal(100, pool.Submitted.Count);
    }

    [Fact(Timeout = 60_000)]
    public async Task What_it_does_not_know_or_have_is_said_as_a_server_says_it()
    {
        using var pool = new InMemoryPool();
        await Assert.ThrowsAsync<TaskGoneException>(() => pool.Client.GetTask("nobody").GetStatusAsync(cancellationToken: TestClient.Stop));
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(async () => await pool.Client.Service.ListAsync(new ListRequest(), cancellationToken: TestClient.Stop));
        Assert.Equal(StatusCode.Unimplemented, refusal.StatusCode);
        TaskHandle task = await pool.Client.SubmitAsync(new TaskSpec { Kind = "waits" }, TestClient.Stop);
        using var ending = new CancellationTokenSource();
        Task<TaskInfo> waiting = task.WaitAsync(ending.Token);
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact(Timeout = 60_000)]
    public async Task It_takes_the_place_of_a_hosts_client_and_worker()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddGrpcPoolWorker().AddHandler<Upper>("upper");
        builder.Services.AddSingleton(new Suffix("!"));
        builder.Services.AddInMemoryGrpcPool();
        using IHost host = builder.Build();
        await host.StartAsync(TestClient.Stop);
        TaskHandle task = await host.Services.GetRequiredService<GrpcPoolClient>().SubmitAsync(new TaskSpec { Kind = "upper", Payload = ByteString.CopyFromUtf8("a") }, TestClient.Stop);
        Assert.Equal("A!", System.Text.Encoding.UTF8.GetString((await task.GetResultAsync(TestClient.Stop)).Span));
        Assert.Equal(task.Id, Assert.Single(host.Services.GetRequiredService<InMemoryPool>().Submitted).Id);
        Assert.Empty(host.Services.GetServices<IHostedService>());
        await host.StopAsync(TestClient.Stop);
    }

    private sealed record Suffix(string Text);

    private sealed class Upper(Suffix suffix) : IWorkHandler
    {
        public ValueTask<WorkOutcome> RunAsync(WorkContext context, CancellationToken stopping) =>
            ValueTask.FromResult(WorkOutcome.Succeeded(System.Text.Encoding.UTF8.GetBytes(System.Text.Encoding.UTF8.GetString(context.Payload.Span).ToUpperInvariant() + suffix.Text)));
    }
}
