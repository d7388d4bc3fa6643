using Google.Protobuf.WellKnownTypes;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Infrastructure;

/// <summary>The calls that most tests make.</summary>
internal static class Calls
{
    public static async Task<TaskInfo> SubmitAsync(this TestServer server, TaskSpec task) =>
        (await server.Client.SubmitAsync(new SubmitRequest { Task = task }, TestServer.Call)).Task;

    /// <summary>Submits tasks that differ in nothing but their ids, and returns these.</summary>
    public static async Task<string[]> SubmitManyAsync(this TestServer server, int count, TaskSpec task, string prefix = "t")
    {
        string[] ids = [.. Enumerable.Range(1, count).Select(i => $"{prefix}{i}")];
        var request = new SubmitBatchRequest { Tasks = { ids.Select(id => new TaskSpec(task) { Id = id }) } };
        SubmitBatchResponse response = await server.Client.SubmitBatchAsync(request, TestServer.Call);
        Assert.All(response.Results, static result => Assert.True(result.Created, result.Error?.Message));
        return ids;
    }

    public static async Task<TaskInfo> GetAsync(this TestServer server, string id, TaskView view = TaskView.Basic) =>
        (await server.Client.GetStatusAsync(new GetStatusRequest { Id = id, View = view, QueuePosition = true }, TestServer.Call)).Task;

    /// <summary>The task at its end.</summary>
    public static async Task<TaskInfo> EndOfAsync(this TestServer server, string id, TaskView view = TaskView.Full)
    {
        WaitResponse response = await server.Client.WaitAsync(new WaitRequest { Id = id, View = view }, TestServer.Call);
        Assert.True(response.Finished);
        return response.Task;
    }

    /// <summary>Follows a task until it is as the test expects it, and returns it then.</summary>
    public static async Task<TaskInfo> UntilAsync(this TestServer server, string id, Func<TaskInfo, bool> isSo)
    {
        using var watch = server.Client.Watch(new WatchRequest { Ids = { id } }, TestServer.Call);
        while (await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
        {
            if (watch.ResponseStream.Current.Events.FirstOrDefault(told => told.Task is not null && isSo(told.Task)) is { } seen)
                return seen.Task;
        }

        throw new InvalidOperationException($"{id} ended before: {await server.GetAsync(id)}");
    }

    /// <summary>Submits and waits for the end.</summary>
    public static async Task<TaskInfo> RunAsync(this TestServer server, TaskSpec task) => await server.EndOfAsync((await server.SubmitAsync(task)).Id);

    public static async Task<TaskInfo> CancelAsync(this TestServer server, string id, string reason = "", Duration? forceAfter = null) =>
        (await server.Client.CancelAsync(new CancelRequest { Id = id, Reason = reason, ForceAfter = forceAfter }, TestServer.Call)).Task;

    public static async Task<long> CountAsync(this TestServer server, params TaskState[] states) =>
        (await server.Client.CountAsync(new CountRequest { Filter = new TaskFilter { States = { states } } }, TestServer.Call)).Total;
}
