using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class CountTests
{
    /// <summary>A watch keeps its filter.</summary>
    [Fact(Timeout = 20_000)]
    public async Task A_filter_has_its_bounds()
    {
        await using TestServer server = await TestServer.StartAsync();
        var filter = new TaskFilter
        {
            States = { Enumerable.Repeat(TaskState.Queued, 101) },
            Queues = { Enumerable.Repeat("q", 101) },
            Kinds = { Enumerable.Repeat("k", 101) },
            Labels = { { "l", new string('x', 257) } },
            SerialKey = new string('x', 257),
            Group = new string('x', 257),
        };
        Assert.Equal(
            ["filter.states", "filter.queues", "filter.kinds", "filter.labels[l]", "filter.serial_key", "filter.group"],
            await Refused.FieldsAsync(server.Client.CountAsync(new CountRequest { Filter = filter }, TestServer.Call)));
        var labels = new TaskFilter { Labels = { Enumerable.Range(0, 33).ToDictionary(static i => $"l{i}", static _ => "") } };
        Assert.Equal(["filter.labels"], await Refused.FieldsAsync(server.Client.CountAsync(new CountRequest { Filter = labels }, TestServer.Call)));
    }

    [Fact(Timeout = 20_000)]
    public async Task Tasks_are_counted_by_state_queue_and_kind()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Pool.Slots = 2);
        foreach (string id in await server.SubmitManyAsync(7, new TaskSpec { Kind = "echo", Queue = "a" }, "e"))
            await server.EndOfAsync(id);
        foreach (string id in await server.SubmitManyAsync(2, new TaskSpec { Kind = "fail", Queue = "b" }, "f"))
            await server.EndOfAsync(id);
        await server.SubmitManyAsync(5, new TaskSpec { Kind = "gate", Queue = "b", Labels = { ["x"] = "1" } });
        await server.Gate.NextStartAsync();
        await server.Gate.NextStartAsync();

        Assert.Equal(
            "14: TASK_STATE_FAILED=2 TASK_STATE_QUEUED=3 TASK_STATE_RUNNING=2 TASK_STATE_SUCCEEDED=7",
            await DescribeAsync(server, new CountRequest { GroupBy = CountGroup.State }));
        Assert.Equal("14: a=7 b=7", await DescribeAsync(server, new CountRequest { GroupBy = CountGroup.Queue }));
        Assert.Equal("14: echo=7 fail=2 gate=5", await DescribeAsync(server, new CountRequest { GroupBy = CountGroup.Kind }));
        Assert.Equal("7: fail=2 gate=5", await DescribeAsync(server, new CountRequest { GroupBy = CountGroup.Kind, Filter = new V1.TaskFilter { Queues = { "b" } } }));
        Assert.Equal("5: ", await DescribeAsync(server, new CountRequest { Filter = new V1.TaskFilter { Labels = { ["x"] = "1" } } }));
        Assert.Equal(
            "3: TASK_STATE_QUEUED=3",
            await DescribeAsync(server, new CountRequest { GroupBy = CountGroup.State, Filter = new V1.TaskFilter { Labels = { ["x"] = "1" }, States = { TaskState.Queued } } }));
    }

    [Fact(Timeout = 20_000)]
    public async Task A_group_that_does_not_exist_is_refused()
    {
        await using TestServer server = await TestServer.StartAsync();
        Assert.Equal(["group_by"], await Refused.FieldsAsync(server.Client.CountAsync(new CountRequest { GroupBy = (CountGroup)77 }, TestServer.Call)));
    }

    [Fact(Timeout = 60_000)]
    public async Task Above_a_hundred_thousand_a_count_by_other_filters_is_not_exact()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Queues["default"].Capacity = 1_000_000);
        for (int i = 0; i < 10; i++)
            await server.SubmitManyAsync(10_000, new TaskSpec { Kind = "gate", SerialKey = "k" }, $"{i}-");
        var request = new CountRequest { Filter = new V1.TaskFilter { SerialKey = "k" } };
        CountResponse all = await server.Client.CountAsync(request, TestServer.Call);
        Assert.Equal((100_000, true), (all.Total, all.Exact));
        await server.SubmitAsync(new TaskSpec { Kind = "gate", SerialKey = "k" });
        CountResponse more = await server.Client.CountAsync(request, TestServer.Call);
        Assert.Equal((100_000, false), (more.Total, more.Exact));
        CountResponse counted = await server.Client.CountAsync(new CountRequest(), TestServer.Call);
        Assert.Equal((100_001, true), (counted.Total, counted.Exact));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_thousand_tasks_against_sixteen_slots_never_show_more_than_sixteen_running()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Pool.Slots = 16);
        using var watch = new Followed(server, new WatchRequest { Filter = new V1.TaskFilter() });
        await watch.UntilSyncedAsync();
        Task submitting = server.SubmitManyAsync(1000, new TaskSpec { Kind = "gate" });
        for (int i = 0; i < 16; i++)
            await server.Gate.NextStartAsync();
        long most = await server.CountAsync(TaskState.Running);
        Assert.Equal(16, most);
        server.Gate.Open();

        while (!watch.Tasks.Values.All(static task => task.State == TaskState.Succeeded) || watch.Tasks.Count < 1000)
        {
            Assert.True(await watch.ReadAsync());
            most = Math.Max(most, watch.Tasks.Values.Count(static task => task.State == TaskState.Running));
            CountResponse running = await server.Client.CountAsync(new CountRequest { Filter = new V1.TaskFilter { States = { TaskState.Running } } }, TestServer.Call);
            most = Math.Max(most, running.Total);
        }

        await submitting;
        Assert.Equal(16, most);
        Assert.Equal(16, server.Gate.MostRunning);
    }

    private static async Task<string> DescribeAsync(TestServer server, CountRequest request)
    {
        CountResponse response = await server.Client.CountAsync(request, TestServer.Call);
        Assert.True(response.Exact);
        return $"{response.Total}: {string.Join(' ', response.Groups.Select(static group => $"{group.Key}={group.Count}"))}";
    }
}
