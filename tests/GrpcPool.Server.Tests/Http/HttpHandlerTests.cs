using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.Channels;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Tests.Embedding;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcPool.Server.Tests.Http;

/// <summary>A pool and a web application, both real, and all between them by HTTP.</summary>
public sealed class HttpHandlerTests
{
    private const int TimeoutMs = 30_000;
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    [Fact(Timeout = TimeoutMs)]
    public async Task A_task_is_run_by_a_web_application()
    {
        var heads = new ConcurrentQueue<(string? Id, string? Kind, string? Tenant)>();
        await using WebApp app = await WebApp.StartAsync(async http =>
        {
            heads.Enqueue((http.Request.Headers["Grpcpool-Task-Id"], http.Request.Headers["Grpcpool-Kind"], http.Request.Headers["Grpcpool-Label-tenant"]));
            using var reader = new StreamReader(http.Request.Body);
            http.Response.ContentType = "text/x";
            await http.Response.WriteAsync((await reader.ReadToEndAsync()).ToUpperInvariant());
        });
        await using EmbeddedHost host = await StartAsync(app);
        TaskInfo ended = await host.RunAsync(new TaskSpec { Id = "order-7", Kind = "notify", Payload = ByteString.CopyFromUtf8("hello"), Labels = { ["tenant"] = "acme" } });

        Assert.Equal((TaskState.Succeeded, "HELLO", "text/x"), (ended.State, ended.Result.ToStringUtf8(), ended.ResultContentType));
        Assert.Equal(("order-7", "notify", "acme"), Assert.Single(heads));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Retry_After_is_waited_for()
    {
        await using WebApp app = await WebApp.StartAsync(http =>
        {
            bool first = http.Request.Headers["Grpcpool-Attempt"] == "1";
            http.Response.StatusCode = first ? 503 : 200;
            if (first)
                http.Response.Headers.RetryAfter = "2";
            return Task.CompletedTask;
        });
        await using EmbeddedHost host = await StartAsync(app);
        var retry = new RetryPolicy { MaxAttempts = 2, InitialBackoff = Duration.FromTimeSpan(TimeSpan.Zero) };
        TaskInfo ended = await host.RunAsync(new TaskSpec { Kind = "notify", Retry = retry });

        Assert.Equal((TaskState.Succeeded, 2), (ended.State, ended.Attempt));
        Assert.InRange((ended.StartedAt - ended.Attempts[0].FinishedAt).ToTimeSpan(), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(20));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Cancelling_aborts_the_request()
    {
        TaskCompletionSource asked = new(), aborted = new();
        await using WebApp app = await WebApp.StartAsync(async http =>
        {
            http.RequestAborted.Register(aborted.SetResult);
            asked.SetResult();
            await aborted.Task;
        });
        await using EmbeddedHost host = await StartAsync(app);
        Task<TaskInfo> running = host.RunAsync(new TaskSpec { Id = "slow", Kind = "notify" });
        await asked.Task.WaitAsync(TestContext.Current.CancellationToken);
        await host.Client.CancelAsync(new CancelRequest { Id = "slow" }, TestServer.Call);

        Assert.Equal(TaskState.Cancelled, (await running).State);
        await aborted.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_answer_that_does_not_come_in_time_is_a_timeout()
    {
        TaskCompletionSource aborted = new();
        await using WebApp app = await WebApp.StartAsync(async http =>
        {
            http.RequestAborted.Register(aborted.SetResult);
            await http.Response.WriteAsync("slow");
            await aborted.Task;
        });
        await using EmbeddedHost host = await StartAsync(app, http => http.RunTimeout = TimeSpan.FromMilliseconds(300));
        TaskInfo ended = await host.RunAsync(new TaskSpec { Kind = "notify" });

        Assert.Equal((TaskState.Failed, FailureCode.Timeout, true), (ended.State, ended.Failure.Code, ended.Failure.Retryable));
        await aborted.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_attempt_that_is_answered_202_leaves_its_slot_and_is_ended_by_Complete()
    {
        var leases = Channel.CreateUnbounded<Lease>();
        await using WebApp app = await WebApp.StartAsync(async http =>
        {
            http.Response.StatusCode = 202;
            await leases.Writer.WriteAsync(LeaseOf(http.Request.Headers));
        });
        await using EmbeddedHost host = await StartAsync(app, slots: 1);
        await host.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Id = "a", Kind = "notify" } }, TestServer.Call);
        await host.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Id = "b", Kind = "notify" } }, TestServer.Call);
        Lease first = await leases.Reader.ReadAsync(TestContext.Current.CancellationToken);
        Lease second = await leases.Reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["a", "b"], [first.TaskId, second.TaskId]); // The only slot was free for the second.
        Assert.Equal(TaskState.Running, (await host.Client.GetStatusAsync(new GetStatusRequest { Id = "a" }, TestServer.Call)).Task.State);

        var done = new CompleteRequest { Lease = first, Result = ByteString.CopyFromUtf8("done"), ContentType = "text/plain" };
        CompleteResponse completed = await host.Client.CompleteAsync(done, TestServer.Call);
        CompleteResponse repeated = await host.Client.CompleteAsync(done, TestServer.Call);
        CompleteResponse failed = await host.Client.CompleteAsync(new CompleteRequest { Lease = second, Failure = new Failure { Message = "no" } }, TestServer.Call);

        Assert.Equal((TaskState.Succeeded, completed.Task.Version), (completed.Task.State, repeated.Task.Version));
        Assert.Equal((TaskState.Failed, FailureCode.HandlerError, "no"), (failed.Task.State, failed.Task.Failure.Code, failed.Task.Failure.Message));
        WaitResponse end = await host.Client.WaitAsync(new WaitRequest { Id = "a", View = TaskView.Full }, TestServer.Call);
        Assert.Equal(("done", "text/plain"), (end.Task.Result.ToStringUtf8(), end.Task.ResultContentType));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_lease_that_was_cancelled_guessed_or_never_given_cannot_be_completed()
    {
        var leases = Channel.CreateUnbounded<Lease>();
        await using WebApp app = await WebApp.StartAsync(async http =>
        {
            http.Response.StatusCode = 202;
            await leases.Writer.WriteAsync(LeaseOf(http.Request.Headers));
        });
        await using EmbeddedHost host = await StartAsync(app);
        await host.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Id = "a", Kind = "notify" } }, TestServer.Call);
        Lease lease = await leases.Reader.ReadAsync(TestContext.Current.CancellationToken);
        byte[] guess = lease.Token.ToByteArray();
        guess[^1] ^= 1;

        Assert.Equal(StatusCode.FailedPrecondition, await CompleteAsync(new Lease(lease) { Token = ByteString.CopyFrom(guess) }));
        Assert.Equal(StatusCode.InvalidArgument, await CompleteAsync(new Lease(lease) { Token = ByteString.CopyFromUtf8("rubbish") }));
        Assert.Equal(StatusCode.NotFound, await CompleteAsync(new Lease(lease) { TaskId = "unknown" }));
        await host.Client.CancelAsync(new CancelRequest { Id = "a" }, TestServer.Call);
        Assert.Equal(TaskState.Cancelled, (await host.Client.WaitAsync(new WaitRequest { Id = "a" }, TestServer.Call)).Task.State);
        Assert.Equal(StatusCode.FailedPrecondition, await CompleteAsync(lease));

        async Task<StatusCode> CompleteAsync(Lease shown) =>
            (await Assert.ThrowsAsync<RpcException>(async () => await host.Client.CompleteAsync(new CompleteRequest { Lease = shown }, TestServer.Call))).StatusCode;
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Connections_are_reused_over_many_tasks()
    {
        const int Tasks = 300;
        var connections = new ConcurrentDictionary<string, bool>();
        await using WebApp app = await WebApp.StartAsync(http =>
        {
            connections[http.Connection.Id] = true;
            return Task.CompletedTask;
        });
        await using EmbeddedHost host = await StartAsync(app);
        var tasks = new SubmitBatchRequest { Tasks = { Enumerable.Range(0, Tasks).Select(i => new TaskSpec { Id = $"t{i}", Kind = "notify" }) } };
        await host.Client.SubmitBatchAsync(tasks, TestServer.Call);
        for (int i = 0; i < Tasks; i++)
            Assert.Equal(TaskState.Succeeded, (await host.Client.WaitAsync(new WaitRequest { Id = $"t{i}" }, TestServer.Call)).Task.State);

        // As many as there are slots, and some more where the machine stood still for longer than connections are kept.
        Assert.InRange(connections.Count, 1, 100);
    }

    private static Lease LeaseOf(IHeaderDictionary headers) => new()
    {
        TaskId = headers["Grpcpool-Task-Id"],
        Attempt = int.Parse(headers["Grpcpool-Attempt"]!, CultureInfo.InvariantCulture),
        Token = ByteString.FromBase64(headers["Grpcpool-Lease"]),
    };

    private static Task<EmbeddedHost> StartAsync(WebApp app, Action<HttpHandlerOptions>? configure = null, int slots = 16) => EmbeddedHost.StartAsync(pool => pool.Services.Configure<GrpcPoolOptions>(options =>
    {
        var http = new HttpHandlerOptions { Url = $"{app.Address}/tasks", Secret = Secret };
        configure?.Invoke(http);
        options.Pool.Slots = slots;
        options.HttpHandlers["notify"] = http;
    }));
}
