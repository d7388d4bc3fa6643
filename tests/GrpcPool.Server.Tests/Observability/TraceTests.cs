using System.Diagnostics;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcPool.Server.Tests.Http;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.Server.Tests.Observability.Traces;
using GrpcPool.Server.Tests.Polyglot;
using GrpcPool.V1;
using Microsoft.AspNetCore.Http;

namespace GrpcPool.Server.Tests.Observability;

/// <summary>Real servers that send their traces to a collector, which puts them together.</summary>
public sealed class TraceTests
{
    private const int TimeoutMs = 120_000;
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";
    private const string Caller = "b7ad6b7169203331";
    private const string Submit = "grpcpool.v1.TaskPoolService/Submit";

    /// <summary>A kind whose result is the trace that its child process was started in.</summary>
    private static readonly string[] Tracer =
        ["Handlers:tracer:Type=command", "Handlers:tracer:Command=/bin/sh", "Handlers:tracer:Arguments:0=-c", "Handlers:tracer:Arguments:1=printf '%s|%s' \"$TRACEPARENT\" \"$TRACESTATE\""];

    private static readonly Metadata Sampled = new() { { "traceparent", $"00-{Trace}-{Caller}-01" }, { "tracestate", "shop=42" } };

    [Fact(Timeout = TimeoutMs)]
    public async Task One_trace_leads_from_a_client_in_Python_by_call_and_queue_and_attempt_to_the_child_process()
    {
        await Language.RequireAsync("python");
        await using Collector collector = await Collector.StartAsync();
        using ServerProcess server = await ServerProcess.ServeAsync([.. Tracer, collector.Setting, "Telemetry:Otlp:Headers=authorization=secret-7"]);
        (int exitCode, string output) = await Script.RunAsync(
            "python", "./client.py", ["submit", "tracer"], PolyglotServer.EnvironmentOf(server.GrpcAddress), ("TRACEPARENT", $"00-{Trace}-{Caller}-01"));
        Assert.True(exitCode == 0, output);
        string[] child = (await EndOfAsync(server, output.Trim())).Result.ToStringUtf8().Split('|');
        await StopAsync(server);

        Span call = collector.Span(Submit, Trace);
        Span queued = collector.Span("queue default", Trace);
        Span attempt = collector.Span("run tracer", Trace);
        Assert.Equal(Caller, Collector.Hex(call.ParentSpanId));
        Assert.Equal(call.SpanId, queued.ParentSpanId);
        Assert.Equal(call.SpanId, attempt.ParentSpanId);
        Assert.Equal($"00-{Trace}-{Collector.Hex(attempt.SpanId)}-01", child[0]);
        Assert.InRange(queued.StartTimeUnixNano, 1UL, queued.EndTimeUnixNano);
        Assert.Equal(("tracer", "default", "succeeded"), (Attribute(attempt, "grpcpool.task.kind"), Attribute(attempt, "grpcpool.queue.name"), Attribute(attempt, "grpcpool.attempt.outcome")));
        Assert.Equal(("grpc", "OK"), (Attribute(call, "rpc.system.name"), Attribute(call, "rpc.response.status_code")));
        Assert.All(collector.Headers, static headers => Assert.Equal("secret-7", headers.GetValue("authorization")));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Each_attempt_of_a_task_is_in_its_trace_also_after_a_restart()
    {
        await using Collector collector = await Collector.StartAsync();
        string database = Path.Combine(Directory.CreateTempSubdirectory("grpcpool-").FullName, "trace.db");
        string[] settings = [.. Tracer, collector.Setting, "Storage:Type=sqlite", $"Storage:Path={database}"];
        using (ServerProcess first = await ServerProcess.ServeAsync(settings))
        {
            await SubmitAsync(first, new TaskSpec { Id = "fails", Kind = "fail", Retry = new RetryPolicy { MaxAttempts = 2, InitialBackoff = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(1)) }, Payload = ByteString.CopyFromUtf8("""{"times": 1, "retryable": true}""") }, Sampled);
            await SubmitAsync(first, new TaskSpec { Id = "after", Kind = "tracer", Delay = Duration.FromTimeSpan(TimeSpan.FromSeconds(2)) }, Sampled);
            Assert.Equal(TaskState.Succeeded, (await EndOfAsync(first, "fails")).State);
            first.Kill();
        }

        using ServerProcess second = await ServerProcess.ServeAsync(settings);
        string[] child = (await EndOfAsync(second, "after")).Result.ToStringUtf8().Split('|');
        await StopAsync(second);

        Span attempt = collector.Span("run tracer", Trace);
        Assert.Equal($"00-{Trace}-{Collector.Hex(attempt.SpanId)}-01", child[0]);
        Assert.Equal("shop=42", child[1]);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_failed_attempt_and_the_next_are_told_apart()
    {
        await using Collector collector = await Collector.StartAsync();
        using ServerProcess server = await ServerProcess.ServeAsync(collector.Setting);
        var retry = new RetryPolicy { MaxAttempts = 2, InitialBackoff = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(1)) };
        await SubmitAsync(server, new TaskSpec { Id = "t", Kind = "fail", Retry = retry, Payload = ByteString.CopyFromUtf8("""{"times": 1, "message": "not yet", "retryable": true}""") }, Sampled);
        Assert.Equal(TaskState.Succeeded, (await EndOfAsync(server, "t")).State);
        await StopAsync(server);

        Span[] attempts = [.. collector.Spans.Where(static span => span.Name == "run fail").OrderBy(static span => span.StartTimeUnixNano)];
        Assert.Equal(["retried", "succeeded"], attempts.Select(static span => Attribute(span, "grpcpool.attempt.outcome")));
        Assert.Equal([("not yet", 2), ("", 0)], attempts.Select(static span => (span.Status?.Message ?? "", span.Status?.Code ?? 0)));
        Assert.Equal([1, 2], attempts.Select(static span => span.Attributes.Single(static tag => tag.Key == "grpcpool.attempt.number").Value.IntValue));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Workers_and_web_applications_get_the_trace_of_their_attempt()
    {
        await Language.RequireAsync("python");
        await using Collector collector = await Collector.StartAsync();
        await using WebApp app = await WebApp.StartAsync(static http => http.Response.WriteAsync(http.Request.Headers.TraceParent!));
        using ServerProcess server = await ServerProcess.ServeAsync(
            collector.Setting, "UndeclaredKinds=Queue", "Handlers:notify:Type=http", $"Handlers:notify:Url={app.Address}/tasks", "Handlers:notify:Secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        using Script worker = Script.Start("python", Language.Python, ["-c", """
            import sys
            from worker import Worker

            Worker({"remote": lambda attempt: attempt.task.headers["traceparent"].encode()}).run(sys.argv[1])
            """, server.GrpcAddress.Authority]);

        string remote = await worker.WhileItRunsAsync(RunAsync("remote"));
        string notify = await RunAsync("notify");
        await StopAsync(server);

        Assert.Equal($"00-{Trace}-{Collector.Hex(collector.Span("run remote", Trace).SpanId)}-01", remote);
        Assert.Equal($"00-{Trace}-{Collector.Hex(collector.Span("run notify", Trace).SpanId)}-01", notify);

        async Task<string> RunAsync(string kind)
        {
            await SubmitAsync(server, new TaskSpec { Id = kind, Kind = kind }, Sampled);
            return (await EndOfAsync(server, kind)).Result.ToStringUtf8();
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_its_caller_does_not_sample_leaves_no_span_and_goes_on_as_it_came()
    {
        await using Collector collector = await Collector.StartAsync();
        using ServerProcess server = await ServerProcess.ServeAsync([.. Tracer, collector.Setting, "Telemetry:SampleRatio=1"]);
        await SubmitAsync(server, new TaskSpec { Id = "unsampled", Kind = "tracer" }, new Metadata { { "traceparent", $"00-{Trace}-{Caller}-00" } });
        await SubmitAsync(server, new TaskSpec { Id = "untraced", Kind = "tracer" });
        string unsampled = (await EndOfAsync(server, "unsampled")).Result.ToStringUtf8();
        string begun = (await EndOfAsync(server, "untraced")).Result.ToStringUtf8();
        await StopAsync(server);

        Assert.Equal($"00-{Trace}-{Caller}-00|", unsampled);
        Assert.DoesNotContain(collector.Spans, static span => Collector.Hex(span.TraceId) == Trace);
        Assert.Equal(ByteString.Empty, collector.Span(Submit, begun.Split('-')[1]).ParentSpanId);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Without_a_collector_the_trace_goes_through_untouched()
    {
        using ServerProcess server = await ServerProcess.ServeAsync(Tracer);
        await SubmitAsync(server, new TaskSpec { Id = "t", Kind = "tracer" }, Sampled);
        Assert.Equal($"00-{Trace}-{Caller}-01|shop=42", (await EndOfAsync(server, "t")).Result.ToStringUtf8());
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Metrics_are_sent_too_and_lead_to_traces_by_their_exemplars()
    {
        await using Collector collector = await Collector.StartAsync();
        using ServerProcess server = await ServerProcess.ServeAsync(collector.Setting);
        await SubmitAsync(server, new TaskSpec { Id = "t", Kind = "echo" }, Sampled);
        await EndOfAsync(server, "t");
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Accept.ParseAdd("application/openmetrics-text; version=1.0.0");
        string scraped = await http.GetStringAsync(new Uri(server.OpsAddress!, "/metrics"), TestContext.Current.CancellationToken);
        await StopAsync(server);

        foreach (string name in (string[])["grpcpool.attempt.duration", "grpcpool.queue.wait", "rpc.server.call.duration"])
        {
            Assert.Contains(collector.Metrics.Where(metric => metric.Name == name).SelectMany(static metric => metric.Histogram.DataPoints).SelectMany(static point => point.Exemplars),
                static exemplar => Collector.Hex(exemplar.TraceId) == Trace);
            Assert.Matches($"{name.Replace('.', '_')}_seconds_bucket.* # .*trace_id=\"{Trace}\"", scraped);
        }

        Assert.Contains(collector.Metrics, static metric => metric is { Name: "grpcpool.task.submissions", Unit: "{task}" });
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_handler_of_a_host_that_traces_continues_the_trace_and_its_request_is_the_parent()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name is "GrpcPool" or "tests",
            Sample = static (ref ActivityCreationOptions<ActivityContext> options) => options.Parent.TraceId.ToString() == Trace ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
        };
        ActivitySource.AddActivityListener(listener);
        await using TestServer server = await TestServer.StartAsync();
        await server.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "gate" } }, TestServer.Call.WithHeaders(Sampled));
        string parent = (await server.Gate.NextStartAsync()).Headers["traceparent"];

        Assert.StartsWith($"00-{Trace}-", parent, StringComparison.Ordinal);
        Assert.DoesNotContain(Caller, parent, StringComparison.Ordinal);
    }

    private static string? Attribute(Span span, string key) => span.Attributes.SingleOrDefault(tag => tag.Key == key)?.Value.StringValue;

    private static async Task SubmitAsync(ServerProcess server, TaskSpec task, Metadata? metadata = null)
    {
        using var channel = GrpcChannel.ForAddress(server.GrpcAddress);
        await new TaskPoolService.TaskPoolServiceClient(channel).SubmitAsync(new SubmitRequest { Task = task }, TestServer.Call.WithHeaders(metadata ?? []));
    }

    private static async Task<TaskInfo> EndOfAsync(ServerProcess server, string id)
    {
        using var channel = GrpcChannel.ForAddress(server.GrpcAddress);
        return (await new TaskPoolService.TaskPoolServiceClient(channel).WaitAsync(new WaitRequest { Id = id, View = TaskView.Full }, TestServer.Call)).Task;
    }

    private static async Task StopAsync(ServerProcess server)
    {
        await server.SignalAsync("TERM");
        (int code, string output, string errors) = await server.EndAsync();
        Assert.True(code == 0, $"exit code {code}: {output} {errors}");
    }
}
