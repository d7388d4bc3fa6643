using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class SubmitFieldTests
{
    /// <summary>One broken rule each: the field that must be named, and what breaks it.</summary>
    private static readonly (string Field, Action<TaskSpec> Break)[] Broken =
    [
        ("task.id", static t => t.Id = new string('a', 129)),
        ("task.id", static t => t.Id = "a b"),
        ("task.id", static t => t.Id = "ä"),
        ("task.kind", static t => t.Kind = ""),
        ("task.kind", static t => t.Kind = "Echo"),
        ("task.kind", static t => t.Kind = new string('a', 65)),
        ("task.payload", static t => t.Payload = ByteString.CopyFrom(new byte[1_048_577])),
        ("task.content_type", static t => t.ContentType = new string('a', 257)),
        ("task.queue", static t => t.Queue = "no/slash"),
        ("task.queue", static t => t.Queue = new string('a', 65)),
        ("task.priority", static t => t.Priority = 101),
        ("task.priority", static t => t.Priority = -101),
        ("task.serial_key", static t => t.SerialKey = new string('ä', 129)),
        ("task.unique_key", static t => t.UniqueKey = new string('a', 257)),
        ("task.on_conflict", static t => t.OnConflict = ConflictPolicy.Reject),
        ("task.on_conflict", static t => (t.UniqueKey, t.OnConflict) = ("k", (ConflictPolicy)9)),
        ("task.after", static t => t.After.Add(Enumerable.Range(0, 101).Select(static i => $"a{i}"))),
        ("task.after[1]", static t => t.After.Add(["a", "b c"])),
        ("task.after[1]", static t => t.After.Add(["a", "a"])),
        ("task.after[0]", static t => t.After.Add(t.Id = "self")),
        ("task.after_policy", static t => t.AfterPolicy = AfterPolicy.Cancel),
        ("task.group", static t => t.Group = new string('a', 257)),
        ("task.slots", static t => t.Slots = 0),
        ("task.slots", static t => t.Slots = -1),
        ("task.slots", static t => t.Slots = 17),
        ("task.run_at", static t => t.RunAt = new Timestamp { Seconds = -1 }),
        ("task.run_at", static t => t.RunAt = new Timestamp { Seconds = long.MaxValue }),
        ("task.run_at", static t => t.RunAt = new Timestamp { Nanos = -1 }),
        ("task.delay", static t => t.Delay = new Duration { Seconds = -1 }),
        ("task.delay", static t => t.Delay = new Duration { Seconds = long.MaxValue }),
        ("task.delay", static t => t.Delay = new Duration { Seconds = long.MinValue }),
        ("task.delay", static t => t.Delay = new Duration { Nanos = int.MaxValue }),
        ("task.delay", static t => t.Delay = new Duration { Seconds = 1, Nanos = -1 }),
        ("task.delay", static t => t.Delay = new Duration { Seconds = 1, Nanos = 1_000_000_000 }),
        ("task.start_timeout", static t => t.StartTimeout = new Duration()),
        ("task.run_timeout", static t => t.RunTimeout = new Duration { Seconds = -5 }),
        ("task.run_timeout", static t => t.RunTimeout = new Duration { Seconds = 31 * 86_400 }),
        ("task.total_timeout", static t => t.TotalTimeout = new Duration()),
        ("task.retry.max_attempts", static t => t.Retry = new RetryPolicy { MaxAttempts = 0 }),
        ("task.retry.max_attempts", static t => t.Retry = new RetryPolicy { MaxAttempts = 1001 }),
        ("task.retry.initial_backoff", static t => t.Retry = new RetryPolicy { InitialBackoff = new Duration { Seconds = -1 } }),
        ("task.retry.backoff_multiplier", static t => t.Retry = new RetryPolicy { BackoffMultiplier = 0.5 }),
        ("task.retry.backoff_multiplier", static t => t.Retry = new RetryPolicy { BackoffMultiplier = double.NaN }),
        ("task.retry.max_backoff", static t => t.Retry = new RetryPolicy { MaxBackoff = new Duration { Seconds = -1 } }),
        ("task.retry.jitter", static t => t.Retry = new RetryPolicy { Jitter = 1.1 }),
        ("task.retry.jitter", static t => t.Retry = new RetryPolicy { Jitter = double.NaN }),
        ("task.retry.max_losses", static t => t.Retry = new RetryPolicy { MaxLosses = -1 }),
        ("task.labels", static t => t.Labels.Add("Name", "")),
        ("task.labels", static t => t.Labels.Add("", "")),
        ("task.labels", static t => t.Labels.Add(Enumerable.Range(0, 33).ToDictionary(static i => $"l{i}", static _ => ""))),
        ("task.labels[name]", static t => t.Labels.Add("name", new string('a', 257))),
        ("task.headers", static t => t.Headers.Add(Enumerable.Range(0, 33).ToDictionary(static i => $"h{i}", static _ => ""))),
        ("task.headers", static t => t.Headers.Add("h", new string('a', 8192))),
        ("task.headers", static t => t.Headers.Add("", "a")),
        ("task.parent_id", static t => t.ParentId = "a b"),
        ("task.retention", static t => t.Retention = new Duration { Seconds = -1 }),
    ];

    [Fact(Timeout = 30_000)]
    public async Task Each_broken_rule_names_its_field()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Pool.Slots = 16);
        foreach ((string field, Action<TaskSpec> breakRule) in Broken)
        {
            var task = new TaskSpec { Kind = "echo" };
            breakRule(task);
            Assert.Equal([field], await Refused.FieldsAsync(Submit(server, task)));
        }

        Assert.Equal(["task"], await Refused.FieldsAsync(Submit(server, null)));
        Assert.Equal(0, await server.CountAsync());
    }

    [Fact(Timeout = 20_000)]
    public async Task All_broken_rules_are_told_at_once()
    {
        await using TestServer server = await TestServer.StartAsync();
        var task = new TaskSpec { Id = " ", Kind = "E", Queue = "Q", Priority = 1000, Retry = new RetryPolicy { Jitter = -1 }, Delay = new Duration { Seconds = -1 } };
        RpcException refusal = await Refused.WithAsync(StatusCode.InvalidArgument, Submit(server, task));
        string[] fields = ["task.delay", "task.id", "task.kind", "task.priority", "task.queue", "task.retry.jitter"];
        Assert.Equal(fields, Refused.FieldsOf(refusal).Order(StringComparer.Ordinal));
        Assert.All(fields, field => Assert.Contains(field, refusal.Status.Detail));
        Assert.All(refusal.Detail<BadRequest>().FieldViolations, static violation => Assert.StartsWith("must be", violation.Description));
    }

    [Fact(Timeout = 20_000)]
    public async Task What_is_at_its_bound_is_taken()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Pool.Slots = 16);
        TaskInfo end = await server.RunAsync(new TaskSpec
        {
            Id = new string('a', 128),
            Kind = "echo",
            Payload = ByteString.CopyFrom(new byte[1_048_576]),
            Queue = new string('q', 64),
            Priority = 100,
            SerialKey = new string('ä', 128),
            Slots = 16,
            Labels = { Enumerable.Range(0, 32).ToDictionary(static i => $"l{i}", static _ => new string('v', 256)) },
            Headers = { ["h"] = new string('v', 8191) },
        });
        Assert.Equal((TaskState.Succeeded, 1_048_576), (end.State, end.Result.Length));
    }

    /// <summary>Trailers are small: a client refuses those above 64 KiB.</summary>
    [Fact(Timeout = 20_000)]
    public async Task Thousands_of_broken_rules_still_make_a_readable_answer()
    {
        await using TestServer server = await TestServer.StartAsync();
        var labels = new TaskSpec { Kind = "echo", Labels = { Enumerable.Range(0, 10_000).ToDictionary(static i => $"L{i}", static _ => "") } };
        Assert.Contains("task.labels", await Refused.FieldsAsync(Submit(server, labels)));

        var longName = new TaskSpec { Kind = "echo", Labels = { [new string('x', 200_000)] = new string('x', 300) } };
        Assert.Contains("task.labels", await Refused.FieldsAsync(Submit(server, longName)));

        var ids = new WatchRequest { Ids = { Enumerable.Repeat("!", 100_000) } };
        Assert.Contains("ids[0]", Refused.FieldsOf(await Refused.WithAsync(StatusCode.InvalidArgument, server.Client.Watch(ids, TestServer.Call))));

        var filter = new V1.TaskFilter { Queues = { Enumerable.Repeat("!", 100_000) } };
        Assert.Contains("filter.queues", await Refused.FieldsAsync(server.Client.ListAsync(new ListRequest { Filter = filter }, TestServer.Call)));
    }

    private static AsyncUnaryCall<SubmitResponse> Submit(TestServer server, TaskSpec? task) => server.Client.SubmitAsync(new SubmitRequest { Task = task }, TestServer.Call);
}
