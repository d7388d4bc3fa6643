using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class CancelTests
{
    [Fact(Timeout = 20_000)]
    public async Task A_waiting_task_is_cancelled_at_once()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Pool.Slots = 1);
        await server.SubmitAsync(new TaskSpec { Id = "runs", Kind = "gate" });
        await server.SubmitAsync(new TaskSpec { Id = "queued", Kind = "gate" });
        await server.SubmitAsync(new TaskSpec { Id = "later", Kind = "gate", Delay = new Duration { Seconds = 3600 } });
        foreach (string id in (string[])["queued", "later"])
        {
            TaskInfo task = await server.CancelAsync(id, "not needed");
            Assert.Equal((TaskState.Cancelled, "not needed", 0), (task.State, task.Cancellation.Reason, task.Attempt));
            Assert.NotNull(task.FinishedAt);
        }
    }

    [Fact(Timeout = 20_000)]
    public async Task A_running_task_is_told_and_ends_cancelled()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "gate" });
        await server.Gate.NextStartAsync();
        Assert.Equal("enough", (await server.CancelAsync("a", "enough")).Cancellation.Reason);
        TaskInfo end = await server.EndOfAsync("a");
        Assert.Equal((TaskState.Cancelled, "enough"), (end.State, end.Cancellation.Reason));
    }

    [Fact(Timeout = 20_000)]
    public async Task A_task_that_does_not_listen_is_ended_by_force()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "stubborn" });
        await server.Stubborn.NextStartAsync();
        TaskInfo told = await server.CancelAsync("a", forceAfter: Duration.FromTimeSpan(TimeSpan.FromMilliseconds(100)));
        Assert.Equal(TaskState.Running, told.State);
        Assert.Equal(TaskState.Cancelled, (await server.EndOfAsync("a")).State);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_task_that_succeeds_before_the_force_has_succeeded()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "stubborn" });
        await server.Stubborn.NextStartAsync();
        await server.CancelAsync("a");
        server.Stubborn.Open();
        Assert.Equal(TaskState.Succeeded, (await server.EndOfAsync("a")).State);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_finished_task_is_returned_as_it_is()
    {
        await using TestServer server = await TestServer.StartAsync();
        TaskInfo end = await server.RunAsync(new TaskSpec { Id = "a", Kind = "echo" });
        TaskInfo answer = await server.CancelAsync("a", "too late");
        Assert.Equal((end.State, end.Version, null), (answer.State, answer.Version, answer.Cancellation));
    }

    [Fact(Timeout = 20_000)]
    public async Task Each_broken_rule_of_a_cancellation_names_its_field()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "a", Kind = "gate" });
        (string Field, CancelRequest Request)[] broken =
        [
            ("id", new CancelRequest()),
            ("reason", new CancelRequest { Id = "a", Reason = new string('x', 1025) }),
            ("force_after", new CancelRequest { Id = "a", ForceAfter = new Duration { Seconds = -1 } }),
            ("force_after", new CancelRequest { Id = "a", ForceAfter = new Duration { Seconds = 3601 } }),
        ];
        foreach ((string field, CancelRequest request) in broken)
            Assert.Equal([field], await Refused.FieldsAsync(server.Client.CancelAsync(request, TestServer.Call)));
        await Refused.WithAsync(StatusCode.NotFound, server.Client.CancelAsync(new CancelRequest { Id = "nobody" }, TestServer.Call));
        string longest = new('ä', 1024);
        Assert.Equal(longest, (await server.CancelAsync("a", longest)).Cancellation.Reason);
    }

    [Fact(Timeout = 20_000)]
    public async Task Cancelling_what_matches_counts_first_and_cancels_then()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Pool.Slots = 1);
        await server.SubmitManyAsync(1500, new TaskSpec { Kind = "gate", Labels = { ["batch"] = "1" } });
        await server.SubmitManyAsync(5, new TaskSpec { Kind = "gate" }, "other");
        await server.Gate.NextStartAsync();
        var request = new CancelMatchingRequest { Filter = new V1.TaskFilter { Labels = { ["batch"] = "1" } }, Reason = "all", DryRun = true };
        Assert.Equal(1500, (await server.Client.CancelMatchingAsync(request, TestServer.Call)).Cancelled);
        Assert.Equal(0, await server.CountAsync(TaskState.Cancelled));

        request.DryRun = false;
        Assert.Equal(1500, (await server.Client.CancelMatchingAsync(request, TestServer.Call)).Cancelled);
        Assert.Equal(TaskState.Cancelled, (await server.EndOfAsync("t1")).State);
        Assert.Equal(1500, await server.CountAsync(TaskState.Cancelled));
        Assert.Equal(0, (await server.Client.CancelMatchingAsync(request, TestServer.Call)).Cancelled);
    }

    [Fact(Timeout = 20_000)]
    public async Task An_empty_filter_is_refused_where_it_would_change_everything()
    {
        await using TestServer server = await TestServer.StartAsync();
        foreach (V1.TaskFilter? filter in (V1.TaskFilter?[])[null, new V1.TaskFilter()])
        {
            Assert.Equal(["filter"], await Refused.FieldsAsync(server.Client.CancelMatchingAsync(new CancelMatchingRequest { Filter = filter }, TestServer.Call)));
            Assert.Equal(["filter"], await Refused.FieldsAsync(server.Client.RetryMatchingAsync(new RetryMatchingRequest { Filter = filter, DryRun = true }, TestServer.Call)));
        }
    }
}
