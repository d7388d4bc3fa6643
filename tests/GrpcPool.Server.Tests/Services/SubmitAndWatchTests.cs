using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class SubmitAndWatchTests
{
    [Fact(Timeout = 20_000)]
    public async Task The_first_message_has_the_accepted_task_and_the_last_its_end()
    {
        await using TestServer server = await TestServer.StartAsync();
        using AsyncServerStreamingCall<SubmitAndWatchResponse> stream = Call(server, new TaskSpec { Id = "a", Kind = "gate", Payload = ByteString.CopyFromUtf8("x") });
        Assert.True(await stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        SubmitAndWatchResponse first = stream.ResponseStream.Current;
        Assert.True(first.Created);
        Assert.Equal([WatchEventType.Snapshot, WatchEventType.Synced], first.Events.Select(static told => told.Type));
        Assert.Equal(("a", first.Revision), (first.Events[0].Task.Id, first.Events[0].Task.Revision));

        server.Gate.Open();
        List<SubmitAndWatchResponse> rest = await ReadAllAsync(stream);
        TaskInfo end = rest[^1].Events[^1].Task;
        Assert.Equal((TaskState.Succeeded, "x"), (end.State, end.Result.ToStringUtf8()));
        Assert.All(rest, static message => Assert.False(message.Created));
    }

    [Fact(Timeout = 20_000)]
    public async Task A_task_that_has_ended_already_is_told_at_once()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.RunAsync(new TaskSpec { Id = "a", Kind = "echo" });
        using AsyncServerStreamingCall<SubmitAndWatchResponse> stream = Call(server, new TaskSpec { Id = "a", Kind = "echo" });
        SubmitAndWatchResponse only = Assert.Single(await ReadAllAsync(stream));
        Assert.Equal((false, TaskState.Succeeded), (only.Created, only.Events[0].Task.State));
    }

    [Fact(Timeout = 30_000)]
    public async Task Many_at_once_all_see_their_end()
    {
        await using TestServer server = await TestServer.StartAsync();
        List<SubmitAndWatchResponse>[] all = await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            using AsyncServerStreamingCall<SubmitAndWatchResponse> stream = Call(server, new TaskSpec { Id = $"t{i}", Kind = "echo" });
            return await ReadAllAsync(stream);
        }));
        Assert.All(all, static messages => Assert.Equal(TaskState.Succeeded, messages.SelectMany(static message => message.Events).Last(static told => told.Task is not null).Task.State));
    }

    [Fact(Timeout = 20_000)]
    public async Task What_Submit_would_refuse_is_refused()
    {
        await using TestServer server = await TestServer.StartAsync();
        Assert.Equal(["task.kind"], Refused.FieldsOf(await Refused.WithAsync(StatusCode.InvalidArgument, Call(server, new TaskSpec { Id = "a" }))));
        Assert.Equal(["task"], Refused.FieldsOf(await Refused.WithAsync(StatusCode.InvalidArgument, Call(server, null))));
        await Refused.WithAsync(StatusCode.NotFound, Call(server, new TaskSpec { Kind = "unknown" }));
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "echo" });
        RpcException refusal = await Refused.WithAsync(StatusCode.AlreadyExists, Call(server, new TaskSpec { Id = "a", Kind = "gate" }));
        Assert.Equal("ID_CONFLICT", refusal.Detail<ErrorInfo>().Reason);
    }

    private static AsyncServerStreamingCall<SubmitAndWatchResponse> Call(TestServer server, TaskSpec? task) =>
        server.Client.SubmitAndWatch(new SubmitAndWatchRequest { Task = task, View = TaskView.Full }, TestServer.Call);

    private static async Task<List<SubmitAndWatchResponse>> ReadAllAsync(AsyncServerStreamingCall<SubmitAndWatchResponse> stream) =>
        await stream.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);
}
