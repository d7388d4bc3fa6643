using System.Net;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcPool.Server.Access;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.Server.Tests.Polyglot;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Observability;

/// <summary>Real servers that are scraped as Prometheus does it.</summary>
public sealed partial class MetricsTests
{
    private const int TimeoutMs = 60_000;

    private static readonly (string, string)[] OfDefault = [("grpcpool_namespace", "default"), ("grpcpool_queue_name", "default")];

    [Fact(Timeout = TimeoutMs)]
    public async Task Metrics_tell_what_the_pool_has_done_and_does()
    {
        using ServerProcess server = await ServerProcess.ServeAsync("Pool:Slots=2", "Queues:small:Capacity=1");
        using GrpcChannel channel = GrpcChannel.ForAddress(server.GrpcAddress);
        var client = new TaskPoolService.TaskPoolServiceClient(channel);
        await RunAsync(client, new TaskSpec { Id = "ends", Kind = "echo" });
        await RunAsync(client, new TaskSpec
        {
            Id = "fails",
            Kind = "fail",
            Payload = ByteString.CopyFromUtf8("""{"retryable": true}"""),
            Retry = new RetryPolicy { MaxAttempts = 2, InitialBackoff = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(1)) },
        });
        await SubmitAsync(client, new TaskSpec { Id = "runs", Kind = "sleep", Slots = 2, Payload = ByteString.CopyFromUtf8("""{"seconds": 3600}""") });
        await SubmitAsync(client, new TaskSpec { Id = "waits", Kind = "echo", Queue = "small" });
        await Refused.WithAsync(StatusCode.ResourceExhausted, SubmitAsync(client, new TaskSpec { Kind = "echo", Queue = "small" }));
        using AsyncServerStreamingCall<WatchResponse> watch = client.Watch(new WatchRequest { Ids = { "runs" } }, TestServer.Call);
        Assert.True(await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken));

        Scrape scrape = await Scrape.OfAsync(server);
        Assert.Equal(3, scrape.Value("grpcpool_task_submissions_total", OfDefault));
        Assert.Equal(1, scrape.Value("grpcpool_task_endings_total", [.. OfDefault, ("grpcpool_task_state", "succeeded")]));
        Assert.Equal(1, scrape.Value("grpcpool_task_endings_total", [.. OfDefault, ("grpcpool_task_state", "failed")]));
        Assert.Equal(1, scrape.Value("grpcpool_attempt_retries_total", OfDefault));
        Assert.Equal(1, scrape.Value("grpcpool_task_refusals_total", ("grpcpool_refusal_reason", "queue_full")));
        Assert.Equal(1, scrape.Value("grpcpool_queue_tasks", [.. OfDefault, ("grpcpool_task_state", "running")]));
        Assert.Equal(1, scrape.Value("grpcpool_queue_tasks", ("grpcpool_queue_name", "small"), ("grpcpool_task_state", "queued")));
        Assert.InRange(scrape.Value("grpcpool_queue_oldest_seconds", ("grpcpool_queue_name", "small")), double.Epsilon, TimeoutMs);
        Assert.Equal(0, scrape.Value("grpcpool_queue_oldest_seconds", OfDefault));
        Assert.Equal((2, 2, 1), (scrape.Value("grpcpool_slot_limit"), scrape.Value("grpcpool_slot_usage"), scrape.Value("grpcpool_ready")));
        Assert.Equal(4, scrape.Value("grpcpool_queue_wait_seconds_count", OfDefault));
        Assert.Equal(1, scrape.Value("grpcpool_attempt_duration_seconds_count", ("grpcpool_task_kind", "fail"), ("grpcpool_attempt_outcome", "retried")));
        Assert.Equal(1, scrape.Value("grpcpool_attempt_duration_seconds_count", ("grpcpool_task_kind", "fail"), ("grpcpool_attempt_outcome", "failed")));
        Assert.Equal(1, scrape.Value("grpcpool_watch_usage"));
        Assert.Equal(scrape.Value("grpcpool_store_commit_size_count"), scrape.Value("grpcpool_store_commit_duration_seconds_count"));
        Assert.Equal(4, scrape.Value("rpc_server_call_duration_seconds_count", ("rpc_method", "grpcpool.v1.TaskPoolService/Submit"), ("rpc_response_status_code", "OK")));
        Assert.Equal(1, scrape.Value("rpc_server_call_duration_seconds_count", ("rpc_method", "grpcpool.v1.TaskPoolService/Submit"), ("rpc_response_status_code", "RESOURCE_EXHAUSTED")));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Calls_that_are_refused_before_their_service_are_counted_too()
    {
        string submitter = Convert.ToHexString(TokenHash.Of("submitter"));
        using ServerProcess server = await ServerProcess.ServeAsync($"Access:Tokens:submitter:Hash={submitter}", "Access:Tokens:submitter:Roles:0=submit", "Access:Tokens:submitter:Namespace=default");
        using GrpcChannel channel = GrpcChannel.ForAddress(server.GrpcAddress);
        var client = new TaskPoolService.TaskPoolServiceClient(channel);
        var metadata = new Metadata { { "authorization", "Bearer submitter" } };
        await Refused.WithAsync(StatusCode.Unauthenticated, client.GetStatusAsync(new GetStatusRequest { Id = "a" }, TestServer.Call));
        await Refused.WithAsync(StatusCode.PermissionDenied, client.GetStatusAsync(new GetStatusRequest { Id = "a" }, TestServer.Call.WithHeaders(metadata)));

        Scrape scrape = await Scrape.OfAsync(server);
        foreach (string status in (string[])["UNAUTHENTICATED", "PERMISSION_DENIED"])
            Assert.Equal(1, scrape.Value("rpc_server_call_duration_seconds_count", ("rpc_method", "grpcpool.v1.TaskPoolService/GetStatus"), ("rpc_response_status_code", status)));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Names_that_callers_choose_do_not_make_series_without_end()
    {
        using ServerProcess server = await ServerProcess.ServeAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress(server.GrpcAddress);
        var client = new TaskPoolService.TaskPoolServiceClient(channel);
        var batch = new SubmitBatchRequest { Tasks = { Enumerable.Range(0, 300).Select(static i => new TaskSpec { Kind = "echo", Queue = $"queue-{i}" }) } };
        SubmitBatchResponse submitted = await client.SubmitBatchAsync(batch, TestServer.Call);
        foreach (SubmitBatchResult result in submitted.Results)
            await client.WaitAsync(new WaitRequest { Id = result.Task.Id }, TestServer.Call);

        Scrape scrape = await Scrape.OfAsync(server);
        (Dictionary<string, string> Labels, double Value)[] series = scrape.All("grpcpool_task_submissions_total");
        Assert.Equal((101, 300), (series.Length, series.Sum(static one => one.Value)));
        Assert.Equal(200, scrape.Value("grpcpool_queue_wait_seconds_count", ("grpcpool_queue_name", "_OTHER")));
        Assert.Equal(101 * 4, scrape.All("grpcpool_queue_tasks").Length);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Metrics_are_answered_by_the_listener_of_operations_alone_and_not_where_they_are_off()
    {
        using ServerProcess on = await ServerProcess.ServeAsync("Listen:Http=");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(on, "/metrics"));
        using GrpcChannel channel = GrpcChannel.ForAddress(on.GrpcAddress);
        using var http = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri(on.GrpcAddress, "/metrics"), TestContext.Current.CancellationToken)).StatusCode);

        using ServerProcess off = await ServerProcess.ServeAsync("Telemetry:Metrics=false");
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(off, "/metrics"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(off, "/livez"));

        static async Task<HttpStatusCode> StatusAsync(ServerProcess server, string path)
        {
            using var http = new HttpClient();
            return (await http.GetAsync(new Uri(server.OpsAddress!, path), TestContext.Current.CancellationToken)).StatusCode;
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_the_dashboard_the_alerts_and_the_documentation_name_exists_and_all_is_documented()
    {
        using ServerProcess server = await ServerProcess.ServeAsync("Workers:Processes:broken:Command=/bin/false");
        using GrpcChannel channel = GrpcChannel.ForAddress(server.GrpcAddress);
        await RunAsync(new TaskPoolService.TaskPoolServiceClient(channel), new TaskSpec { Kind = "echo", Id = "t" });
        Scrape scrape = await Scrape.OfAsync(server);
        HashSet<string> names = [.. scrape.Names];
        HashSet<string> labels = [.. scrape.Labels, "job", "instance"];

        string[] expressions = [.. Expressions("grafana/grpcpool.json", DashboardExpression()), .. Expressions("prometheus/alerts.yaml", AlertExpression())];
        Assert.InRange(expressions.Length, 40, int.MaxValue);
        foreach (string expression in expressions)
        {
            Assert.All(LabelList().Matches(expression).SelectMany(static list => Word().Matches(list.Groups[1].Value)), label => Assert.Contains(label.Value, labels));
            Assert.All(Matcher().Matches(expression), label => Assert.Contains(label.Groups[1].Value, labels));
            string bare = LabelList().Replace(Braces().Replace(expression, ""), "");
            Assert.All(MetricName().Matches(bare), name => Assert.True(names.Contains(name.Value) || labels.Contains(name.Value), $"{name.Value} in {expression}"));
            Assert.True(MetricName().IsMatch(bare), expression);
        }

        string documented = await File.ReadAllTextAsync(Path.Combine(Root, "docs", "telemetry.md"), TestContext.Current.CancellationToken);
        string[] own = [.. DocumentedName().Matches(documented).Select(static name => name.Groups[1].Value)];
        Assert.Equal(
            names.Where(static name => name.StartsWith("grpcpool_", StringComparison.Ordinal) || name.StartsWith("rpc_", StringComparison.Ordinal)).Select(static name => Suffix().Replace(name, "")).Distinct().Order(),
            own.Order());
    }

    private static string Root => Path.GetFullPath(Path.Combine(Script.FolderOf("python"), "../../.."));

    private static IEnumerable<string> Expressions(string file, Regex expression) =>
        expression.Matches(File.ReadAllText(Path.Combine(Root, "deploy", file))).Select(static match => match.Groups[1].Value.Replace("\\\"", "\"", StringComparison.Ordinal));

    private static async Task SubmitAsync(TaskPoolService.TaskPoolServiceClient client, TaskSpec task) => await client.SubmitAsync(new SubmitRequest { Task = task }, TestServer.Call);

    private static async Task RunAsync(TaskPoolService.TaskPoolServiceClient client, TaskSpec task)
    {
        await SubmitAsync(client, task);
        await client.WaitAsync(new WaitRequest { Id = task.Id }, TestServer.Call);
    }

    [GeneratedRegex("""["](?:expr|definition)": "((?:[^"\\]|\\.)*)["]""")]
    private static partial Regex DashboardExpression();

    [GeneratedRegex(@"expr: (?:>-)?((?:[^\n]|\n {10})+)")]
    private static partial Regex AlertExpression();

    [GeneratedRegex(@"\b(?:by|on|without|ignoring) \(([^)]*)\)")]
    private static partial Regex LabelList();

    [GeneratedRegex(@"[{,](\w+)(?:=|!)")]
    private static partial Regex Matcher();

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Braces();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();

    [GeneratedRegex(@"\b(?:grpcpool|rpc|dotnet|kestrel)_\w+")]
    private static partial Regex MetricName();

    [GeneratedRegex(@"(?m)^\| `((?:grpcpool|rpc)_\w+)` \|")]
    private static partial Regex DocumentedName();

    [GeneratedRegex("_(?:bucket|sum|count)$")]
    private static partial Regex Suffix();
}
