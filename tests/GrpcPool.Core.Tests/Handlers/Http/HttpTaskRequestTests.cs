using System.Diagnostics;
using System.Text;
using GrpcPool.Core.Handlers;
using static GrpcPool.Core.Tests.Handlers.Http.HttpHandlers;

namespace GrpcPool.Core.Tests.Handlers.Http;

public sealed class HttpTaskRequestTests
{
    private const string Done = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    private static readonly string[] OfTheTask =
        ["Content-Type", "Grpcpool-Task-Id", "Grpcpool-Namespace", "Grpcpool-Kind", "Grpcpool-Queue", "Grpcpool-Attempt", "Grpcpool-Deadline", "Grpcpool-Lease"];

    [Fact(Timeout = TimeoutMs)]
    public async Task A_request_says_what_the_task_is()
    {
        using var context = new FakeTaskContext("payload", attempt: 2) { Until = new DateTimeOffset(2026, 1, 2, 4, 4, 5, 678, TimeSpan.FromHours(1)) };
        RawRequest request = await SentAsync(context, "/tasks/notify?x=1");
        Assert.Equal(("POST /tasks/notify?x=1 HTTP/1.1", "payload"), (request.RequestLine, Encoding.UTF8.GetString(request.Body)));
        Assert.Equal(
            ["text/plain", "task-1", "space", "kind-1", "queue-1", "2", "2026-01-02T03:04:05.678Z", "BwAAAAAAAAAIAAAAAAAAAA=="],
            OfTheTask.Select(name => request[name]));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_a_task_has_not_is_not_sent()
    {
        using var context = new FakeTaskContext { MediaType = "", OwnLabels = [] };
        RawRequest request = await SentAsync(context);
        Assert.Equal(
            [
                "Content-Length", "Grpcpool-Attempt", "Grpcpool-Kind", "Grpcpool-Lease", "Grpcpool-Namespace", "Grpcpool-Queue", "Grpcpool-Task-Id", "Host",
                "User-Agent", "webhook-id", "webhook-signature", "webhook-timestamp",
            ],
            request.Names.Order(StringComparer.OrdinalIgnoreCase));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Labels_and_headers_of_the_task_have_names_of_their_own()
    {
        using var context = new FakeTaskContext
        {
            OwnLabels = new() { ["team_name"] = "blue & gr\u00fcn", ["rate"] = "100%" },
            OwnHeaders = new() { ["X-Tenant"] = "acme,inc", ["empty"] = "" },
        };
        RawRequest request = await SentAsync(context);
        Assert.Equal(("blue%20&%20gr%C3%BCn", "100%25"), (request["Grpcpool-Label-team-name"], request["Grpcpool-Label-rate"]));
        Assert.Equal(("acme,inc", ""), (request["Grpcpool-Header-X-Tenant"], request["Grpcpool-Header-empty"]));
        Assert.Equal("blue & gr\u00fcn", Uri.UnescapeDataString(request["Grpcpool-Label-team-name"]!));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_header_of_the_task_can_neither_override_nor_smuggle()
    {
        string[] ours = ["Grpcpool-Task-Id", "webhook-id", "webhook-signature", "Host", "Content-Length", "Transfer-Encoding", "Connection", "Content-Type", "Cookie"];
        using var context = new FakeTaskContext("payload") { OwnHeaders = ours.ToDictionary(name => name, _ => "evil") };
        context.OwnHeaders["X-Lines"] = "a\r\nTransfer-Encoding: chunked\r\n\r\nGET / HTTP/1.1\0\u007f\u2028";
        context.OwnHeaders["X\r\nEvil: 1"] = "evil";
        context.OwnHeaders["X Evil"] = "evil";
        context.OwnHeaders["X:Evil"] = "evil";
        context.OwnHeaders["X-\u00c4"] = "evil";
        context.OwnHeaders["host"] = "once more";
        context.OwnHeaders["traceparent"] = "00-1\r\nEvil: 1";
        RawRequest request = await SentAsync(context);

        Assert.Equal(("task-1", "space/task-1", "7", "text/plain"), (request["Grpcpool-Task-Id"], request["webhook-id"], request["Content-Length"], request["Content-Type"]));
        Assert.All(["Transfer-Encoding", "Connection", "Cookie", "Evil", "traceparent"], name => Assert.Null(request[name]));
        Assert.DoesNotContain("evil", request["Host"], StringComparison.Ordinal);
        Assert.All(ours, name => Assert.Equal("evil", request[$"Grpcpool-Header-{name}"]));
        Assert.Equal("a%0D%0ATransfer-Encoding:%20chunked%0D%0A%0D%0AGET%20/%20HTTP/1.1%00%7F%E2%80%A8", request["Grpcpool-Header-X-Lines"]);
        Assert.DoesNotContain(request.Names, name => name.Contains("X-\u00c4", StringComparison.Ordinal) || name.EndsWith("Evil", StringComparison.Ordinal));
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("text/plain\r\nEvil: 1")]
    [InlineData("text/\u00e4")]
    public async Task A_content_type_that_is_none_is_left_out(string type)
    {
        using var context = new FakeTaskContext { MediaType = type };
        RawRequest request = await SentAsync(context);
        Assert.Equal((null, null), (request["Content-Type"], request["Evil"]));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_trace_goes_on_with_the_context_of_the_task_and_no_other()
    {
        const string Parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        using var activity = new Activity("of the server");
        activity.Start();
        using var context = new FakeTaskContext { OwnHeaders = new() { ["traceparent"] = Parent, ["tracestate"] = "a=1, b=2" } };
        RawRequest request = await SentAsync(context);
        Assert.Equal((Parent, "a=1, b=2"), (request["traceparent"], request["tracestate"]));

        using var without = new FakeTaskContext();
        Assert.Null((await SentAsync(without))["traceparent"]);
    }

    private static async Task<RawRequest> SentAsync(FakeTaskContext context, string path = "")
    {
        await using var endpoint = new RawEndpoint(Done);
        using var handlers = new HttpHandlers(endpoint.Address + path);
        TaskOutcome outcome = await handlers.RunAsync(context);
        Assert.Null(outcome.Failure);
        return endpoint.Requests.Single();
    }
}
