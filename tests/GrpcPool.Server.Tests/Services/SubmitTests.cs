using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using GrpcPool.Core.Handlers;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class SubmitTests
{
    private static readonly string Traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    [Fact(Timeout = 20_000)]
    public async Task A_submitted_task_runs_and_keeps_what_it_was_given()
    {
        await using TestServer server = await TestServer.StartAsync();
        TaskInfo end = await server.RunAsync(new TaskSpec
        {
            Kind = "echo",
            Payload = ByteString.CopyFromUtf8("héllo"),
            ContentType = "text/plain",
            Queue = "mail",
            Priority = -7,
            SerialKey = "user:1",
            Slots = 2,
            Labels = { ["tenant"] = "a" },
            Headers = { ["x"] = "y" },
            ParentId = "p-1",
        });
        Assert.Equal(("default", "echo", "mail", TaskState.Succeeded), (end.Namespace, end.Kind, end.Queue, end.State));
        Assert.Equal((-7, "user:1", 2, "p-1", 1, 1), (end.Priority, end.SerialKey, end.Slots, end.ParentId, end.Attempt, end.MaxAttempts));
        Assert.Equal(("héllo", "text/plain"), (end.Payload.ToStringUtf8(), end.ContentType));
        Assert.Equal(("héllo", "text/plain"), (end.Result.ToStringUtf8(), end.ResultContentType));
        Assert.Equal("a", end.Labels["tenant"]);
        Assert.Equal("y", end.Headers["x"]);
        Assert.Equal(1, Assert.Single(end.Attempts).Number);
        Assert.True(end.SubmittedAt <= end.StartedAt && end.StartedAt <= end.FinishedAt && end.FinishedAt < end.ExpiresAt);
    }

    [Fact(Timeout = 20_000)]
    public async Task The_same_id_with_an_equal_spec_is_the_same_task()
    {
        await using TestServer server = await TestServer.StartAsync();
        SubmitResponse first = await SubmitAsync(server, new TaskSpec { Id = "a", Kind = "gate", Labels = { ["x"] = "1", ["y"] = "2" }, Headers = { ["h"] = "1" } });
        SubmitResponse second = await SubmitAsync(server, new TaskSpec { Id = "a", Kind = "gate", Labels = { ["y"] = "2", ["x"] = "1" }, Headers = { ["h"] = "2" } });
        Assert.Equal((true, false), (first.Created, second.Created));
        Assert.Equal((first.Task.Id, first.Task.SubmittedAt), (second.Task.Id, second.Task.SubmittedAt));
        Assert.Equal("1", (await server.GetAsync("a", TaskView.Full)).Headers["h"]);
    }

    /// <summary>Those of a newer contract, say.</summary>
    [Fact(Timeout = 20_000)]
    public async Task Fields_that_the_server_does_not_know_make_another_spec()
    {
        await using TestServer server = await TestServer.StartAsync();
        var spec = new TaskSpec { Id = "a", Kind = "gate" };
        TaskSpec newer = TaskSpec.Parser.ParseFrom([.. spec.ToByteArray(), 0x98, 0x3f, 0x07]);

        Assert.True((await SubmitAsync(server, newer)).Created);
        Assert.False((await SubmitAsync(server, newer)).Created);
        SubmitBatchResponse batch = await server.Client.SubmitBatchAsync(new SubmitBatchRequest { Tasks = { newer, spec } }, TestServer.Call);
        Assert.Equal(("a", false, "ID_CONFLICT"), (batch.Results[0].Task.Id, batch.Results[0].Created, batch.Results[1].Error.Reason));
        await Refused.WithAsync(StatusCode.AlreadyExists, server.Client.SubmitAsync(new SubmitRequest { Task = spec }, TestServer.Call));
    }

    [Fact(Timeout = 20_000)]
    public async Task The_same_id_with_another_spec_is_a_conflict()
    {
        await using TestServer server = await TestServer.StartAsync();
        await SubmitAsync(server, new TaskSpec { Id = "a", Kind = "gate", Labels = { ["x"] = "1" } });
        foreach (TaskSpec other in (TaskSpec[])[new() { Id = "a", Kind = "gate" }, new() { Id = "a", Kind = "echo", Labels = { ["x"] = "1" } }])
        {
            RpcException refusal = await Refused.WithAsync(StatusCode.AlreadyExists, server.Client.SubmitAsync(new SubmitRequest { Task = other }, TestServer.Call));
            Assert.Equal("ID_CONFLICT", refusal.Detail<ErrorInfo>().Reason);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task A_thousand_equal_submissions_at_once_are_one_task()
    {
        await using TestServer server = await TestServer.StartAsync();
        var spec = new TaskSpec { Id = "one", Kind = "echo" };
        SubmitResponse[] responses = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => SubmitAsync(server, spec)));
        Assert.Single(responses, static response => response.Created);
        Assert.Equal(1, await server.CountAsync());
    }

    [Fact(Timeout = 20_000)]
    public async Task A_task_without_an_id_gets_a_new_one()
    {
        await using TestServer server = await TestServer.StartAsync();
        (TaskInfo one, TaskInfo other) = (await server.SubmitAsync(new TaskSpec { Kind = "echo" }), await server.SubmitAsync(new TaskSpec { Kind = "echo" }));
        Assert.NotEqual(one.Id, other.Id);
        Assert.Equal(7, Guid.Parse(one.Id).Version);
    }

    [Fact(Timeout = 20_000)]
    public async Task An_unknown_kind_is_told_which_are_known()
    {
        await using TestServer server = await TestServer.StartAsync();
        RpcException refusal = await Refused.WithAsync(StatusCode.NotFound, server.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "ech0" } }, TestServer.Call));
        Assert.Contains("known are: echo, fail, gate, shell, sleep, stubborn", refusal.Status.Detail);
        Assert.Equal("KIND_NOT_FOUND", refusal.Detail<ErrorInfo>().Reason);
    }

    [Fact(Timeout = 20_000)]
    public async Task The_trace_of_a_call_becomes_headers_unless_they_were_given()
    {
        await using TestServer server = await TestServer.StartAsync();
        CallOptions traced = TestServer.Call.WithHeaders(new Metadata { { "traceparent", Traceparent }, { "tracestate", "k=v" } });
        await server.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "gate" } }, traced);
        TaskContext context = await server.Gate.NextStartAsync();
        Assert.Equal((Traceparent, "k=v"), (context.Headers["traceparent"], context.Headers["tracestate"]));

        await server.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "gate", Headers = { ["traceparent"] = "mine" } } }, traced);
        Assert.Equal("mine", (await server.Gate.NextStartAsync()).Headers["traceparent"]);

        // What is no trace, or more than is passed on, is no task's burden.
        foreach (Metadata metadata in (Metadata[])[new() { { "traceparent", new string('z', 30_000) }, { "tracestate", "k=v" } }, new() { { "tracestate", "k=v" } }])
        {
            await server.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "gate" } }, TestServer.Call.WithHeaders(metadata));
            Assert.Empty((await server.Gate.NextStartAsync()).Headers);
        }

        await server.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "gate" } }, TestServer.Call.WithHeaders(new Metadata { { "traceparent", Traceparent }, { "tracestate", new string('z', 513) } }));
        Assert.Equal(["traceparent"], (await server.Gate.NextStartAsync()).Headers.Keys);
    }

    [Fact(Timeout = 20_000)]
    public async Task Each_namespace_has_its_own_ids()
    {
        await using TestServer server = await TestServer.StartAsync();
        CallOptions other = TestServer.Call.WithHeaders(new Metadata { { "grpcpool-namespace", "other" } });
        await SubmitAsync(server, new TaskSpec { Id = "a", Kind = "echo" });
        SubmitResponse second = await server.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Id = "a", Kind = "gate" } }, other);
        Assert.Equal((true, "other"), (second.Created, second.Task.Namespace));
        Assert.Equal("echo", (await server.EndOfAsync("a")).Kind);
        Assert.Equal("gate", (await server.Client.GetStatusAsync(new GetStatusRequest { Id = "a" }, other)).Task.Kind);
        Assert.Equal(1, (await server.Client.CountAsync(new CountRequest(), other)).Total);
        Assert.Single((await server.Client.ListAsync(new ListRequest(), other)).Tasks);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_namespace_has_a_name_like_a_kind_and_their_number_is_limited()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Limits.Namespaces = 2);
        AsyncUnaryCall<SubmitResponse> Submit(string name) => server.Client.SubmitAsync(
            new SubmitRequest { Task = new TaskSpec { Kind = "echo" } }, TestServer.Call.WithHeaders(new Metadata { { "grpcpool-namespace", name } }));
        Assert.Equal(["grpcpool-namespace"], await Refused.FieldsAsync(Submit("Not Allowed")));
        await Submit("one");
        await Submit("two");
        RpcException refusal = await Refused.WithAsync(StatusCode.ResourceExhausted, Submit("three"));
        Assert.Equal(("LIMIT_REACHED", "Limits:Namespaces"), (refusal.Detail<ErrorInfo>().Reason, refusal.Detail<ErrorInfo>().Metadata["setting"]));
    }

    private static async Task<SubmitResponse> SubmitAsync(TestServer server, TaskSpec spec) => await server.Client.SubmitAsync(new SubmitRequest { Task = spec }, TestServer.Call);
}
