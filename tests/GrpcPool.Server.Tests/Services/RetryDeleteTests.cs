using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class RetryDeleteTests
{
    [Fact(Timeout = 20_000)]
    public async Task A_failed_task_runs_again_with_its_attempts_anew()
    {
        await using TestServer server = await TestServer.StartAsync();
        TaskInfo failed = await server.RunAsync(new TaskSpec { Id = "a", Kind = "fail" });
        TaskInfo retried = (await server.Client.RetryAsync(new RetryRequest { Id = "a" }, TestServer.Call)).Task;
        Assert.True(retried.Version > failed.Version);
        Assert.Equal((0, null), (retried.Attempt, retried.FinishedAt));
        TaskInfo again = await server.EndOfAsync("a");
        Assert.Equal((TaskState.Failed, 1), (again.State, again.Attempt));
        Assert.True(again.Version > retried.Version);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_cancelled_task_runs_again()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "gate" });
        await server.Gate.NextStartAsync();
        await server.CancelAsync("a");
        await server.EndOfAsync("a");
        server.Gate.Open();
        TaskInfo retried = (await server.Client.RetryAsync(new RetryRequest { Id = "a" }, TestServer.Call)).Task;
        Assert.Null(retried.Cancellation);
        Assert.Equal(TaskState.Succeeded, (await server.EndOfAsync("a")).State);
    }

    [Fact(Timeout = 20_000)]
    public async Task Only_what_failed_was_cancelled_or_expired_runs_again()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.RunAsync(new TaskSpec { Id = "done", Kind = "echo" });
        await server.SubmitAsync(new TaskSpec { Id = "runs", Kind = "gate" });
        foreach ((string id, string state) in ((string, string)[])[("done", "SUCCEEDED"), ("runs", "RUNNING")])
        {
            RpcException refusal = await Refused.WithAsync(StatusCode.FailedPrecondition, server.Client.RetryAsync(new RetryRequest { Id = id }, TestServer.Call));
            AssertState(refusal, id, state);
        }

        await Refused.WithAsync(StatusCode.NotFound, server.Client.RetryAsync(new RetryRequest { Id = "nobody" }, TestServer.Call));
        Assert.Equal(["id"], await Refused.FieldsAsync(server.Client.RetryAsync(new RetryRequest(), TestServer.Call)));
    }

    [Fact(Timeout = 20_000)]
    public async Task Retrying_what_matches_counts_first_and_retries_then()
    {
        await using TestServer server = await TestServer.StartAsync();
        string[] ids = [.. await server.SubmitManyAsync(30, new TaskSpec { Kind = "fail" }), .. await server.SubmitManyAsync(10, new TaskSpec { Kind = "echo" }, "e")];
        foreach (string id in ids)
            await server.EndOfAsync(id);
        var request = new RetryMatchingRequest { Filter = new V1.TaskFilter { Queues = { "default" } }, DryRun = true };
        Assert.Equal(30, (await server.Client.RetryMatchingAsync(request, TestServer.Call)).Retried);
        Assert.Equal(30, await server.CountAsync(TaskState.Failed));

        long version = (await server.GetAsync("t30")).Version;
        request.DryRun = false;
        Assert.Equal(30, (await server.Client.RetryMatchingAsync(request, TestServer.Call)).Retried);
        Assert.True((await server.EndOfAsync("t30")).Version > version);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_finished_task_can_be_forgotten_and_its_id_used_again()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.RunAsync(new TaskSpec { Id = "a", Kind = "echo" });
        await server.Client.DeleteAsync(new DeleteRequest { Id = "a" }, TestServer.Call);
        await Refused.WithAsync(StatusCode.NotFound, server.Client.GetStatusAsync(new GetStatusRequest { Id = "a" }, TestServer.Call));
        await Refused.WithAsync(StatusCode.NotFound, server.Client.DeleteAsync(new DeleteRequest { Id = "a" }, TestServer.Call));
        Assert.Equal(0, await server.CountAsync());
        Assert.Equal(TaskState.Succeeded, (await server.RunAsync(new TaskSpec { Id = "a", Kind = "echo", Payload = ByteString.CopyFromUtf8("new") })).State);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_task_that_has_not_ended_cannot_be_forgotten()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "runs", Kind = "gate" });
        AssertState(await Refused.WithAsync(StatusCode.FailedPrecondition, server.Client.DeleteAsync(new DeleteRequest { Id = "runs" }, TestServer.Call)), "runs", "RUNNING");
        Assert.Equal(["id"], await Refused.FieldsAsync(server.Client.DeleteAsync(new DeleteRequest { Id = "ä" }, TestServer.Call)));
    }

    [Fact(Timeout = 20_000)]
    public async Task A_wait_for_a_task_that_is_forgotten_meanwhile_is_not_found()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.RunAsync(new TaskSpec { Id = "a", Kind = "fail", Payload = ByteString.CopyFromUtf8("{}") });
        await server.SubmitAsync(new TaskSpec { Id = "b", Kind = "gate" });
        await server.Gate.NextStartAsync();
        using var watch = new Followed(server, new WatchRequest { Ids = { "b", "a" } });
        await watch.UntilSyncedAsync();
        await server.Client.DeleteAsync(new DeleteRequest { Id = "a" }, TestServer.Call);
        await Refused.WithAsync(StatusCode.NotFound, server.Client.WaitAsync(new WaitRequest { Id = "a" }, TestServer.Call));
    }

    private static void AssertState(RpcException refusal, string id, string state)
    {
        PreconditionFailure.Types.Violation violation = Assert.Single(refusal.Detail<PreconditionFailure>().Violations);
        Assert.Equal(("STATE", id), (violation.Type, violation.Subject));
        Assert.Contains(state, violation.Description);
        Assert.Equal("WRONG_STATE", refusal.Detail<ErrorInfo>().Reason);
    }
}
