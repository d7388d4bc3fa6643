using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class ListTests
{
    [Fact(Timeout = 20_000)]
    public async Task Pages_are_newest_first_and_stable_while_tasks_come_change_and_go()
    {
        await using TestServer server = await TestServer.StartAsync();
        string[] ids = await server.SubmitManyAsync(25, new TaskSpec { Kind = "echo" });
        foreach (string id in ids)
            await server.EndOfAsync(id);

        List<string> listed = [];
        var request = new ListRequest { PageSize = 4 };
        do
        {
            ListResponse page = await server.Client.ListAsync(request, TestServer.Call);
            Assert.InRange(page.Tasks.Count, 0, 4);
            listed.AddRange(page.Tasks.Select(static task => task.Id));
            request.PageToken = page.NextPageToken;
            await server.SubmitManyAsync(3, new TaskSpec { Kind = "echo" }, $"new{listed.Count}-");
            if (listed.Count > 0)
                await server.Client.DeleteAsync(new DeleteRequest { Id = listed[^1] }, TestServer.Call);
        }
        while (request.PageToken.Length > 0);
        Assert.Equal(ids.Reverse(), listed);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_token_of_another_filter_or_no_token_is_refused()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitManyAsync(3, new TaskSpec { Kind = "gate", Queue = "a" });
        ListResponse page = await ListAsync(server, new V1.TaskFilter { Queues = { "a" } }, pageSize: 1);
        Assert.NotEqual("", page.NextPageToken);
        string tampered = page.NextPageToken[..^2] + (page.NextPageToken[^2..] == "AA" ? "BB" : "AA");
        (string Token, V1.TaskFilter Filter)[] wrong =
        [
            (page.NextPageToken, new V1.TaskFilter { Queues = { "b" } }), (page.NextPageToken, new V1.TaskFilter()), (tampered, new V1.TaskFilter { Queues = { "a" } }),
            ("x", new V1.TaskFilter { Queues = { "a" } }), (new string('A', 100_000), new V1.TaskFilter { Queues = { "a" } }),
        ];
        foreach ((string token, V1.TaskFilter filter) in wrong)
            Assert.Equal(["page_token"], await Refused.FieldsAsync(server.Client.ListAsync(new ListRequest { Filter = filter, PageToken = token }, TestServer.Call)));
        ListResponse rest = await server.Client.ListAsync(new ListRequest { Filter = new V1.TaskFilter { Queues = { "a" } }, PageToken = page.NextPageToken }, TestServer.Call);
        Assert.Equal(["t2", "t1"], rest.Tasks.Select(static task => task.Id));
    }

    [Fact(Timeout = 30_000)]
    public async Task Pages_are_cut_by_bytes()
    {
        await using TestServer server = await TestServer.StartAsync();
        for (int i = 0; i < 5; i++)
            await server.RunAsync(new TaskSpec { Id = $"t{i}", Kind = "echo", Payload = ByteString.CopyFrom(new byte[1_048_576]) });
        List<string> listed = [];
        var request = new ListRequest { PageSize = 1000, View = TaskView.Full };
        do
        {
            ListResponse page = await server.Client.ListAsync(request, TestServer.Call);
            Assert.InRange(page.CalculateSize(), 1, 3_670_016);
            listed.AddRange(page.Tasks.Select(static task => task.Id));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        Assert.Equal(["t4", "t3", "t2", "t1", "t0"], listed);
    }

    [Fact(Timeout = 20_000)]
    public async Task Each_part_of_a_filter_restricts()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.RunAsync(new TaskSpec { Id = "other", Kind = "echo" });
        Timestamp before = (await server.SubmitAsync(new TaskSpec
        {
            Id = "meant",
            Kind = "gate",
            Queue = "q",
            SerialKey = "k",
            ParentId = "p",
            Group = "g",
            Labels = { ["a"] = "1", ["b"] = "2" },
        })).SubmittedAt;
        var late = Timestamp.FromDateTimeOffset(before.ToDateTimeOffset().AddHours(1));
        V1.TaskFilter[] meant =
        [
            new() { States = { TaskState.Running, TaskState.Failed } }, new() { Queues = { "q", "r" } }, new() { Kinds = { "gate" } }, new() { Labels = { ["a"] = "1", ["b"] = "2" } },
            new() { SerialKey = "k" }, new() { ParentId = "p" }, new() { Group = "g" }, new() { SubmittedAfter = before, SubmittedBefore = late },
        ];
        foreach (V1.TaskFilter filter in meant)
            Assert.Equal(["meant"], (await ListAsync(server, filter)).Tasks.Select(static task => task.Id));
        foreach (V1.TaskFilter filter in (V1.TaskFilter[])[new() { SubmittedAfter = late }, new() { Labels = { ["a"] = "1", ["b"] = "3" } }, new() { SerialKey = "l" }])
            Assert.Empty((await ListAsync(server, filter)).Tasks);
        Assert.Equal(["meant", "other"], (await ListAsync(server, null)).Tasks.Select(static task => task.Id));
    }

    [Fact(Timeout = 20_000)]
    public async Task A_page_has_one_to_a_thousand_tasks()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitManyAsync(150, new TaskSpec { Kind = "gate" });
        Assert.Equal(100, (await ListAsync(server, null)).Tasks.Count);
        Assert.Equal(150, (await ListAsync(server, null, pageSize: 1000)).Tasks.Count);
        foreach (int size in (int[])[-1, 1001])
            Assert.Equal(["page_size"], await Refused.FieldsAsync(server.Client.ListAsync(new ListRequest { PageSize = size }, TestServer.Call)));
    }

    private static async Task<ListResponse> ListAsync(TestServer server, V1.TaskFilter? filter, int pageSize = 0) =>
        await server.Client.ListAsync(new ListRequest { Filter = filter, PageSize = pageSize }, TestServer.Call);
}
