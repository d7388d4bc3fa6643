using System.Text;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;
using Microsoft.Extensions.Time.Testing;
using static GrpcPool.Core.Tests.Handlers.Http.HttpHandlers;

namespace GrpcPool.Core.Tests.Handlers.Http;

public sealed class HttpOutcomeTests
{
    [Theory(Timeout = TimeoutMs)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Type: text/x; charset=utf-8\r\n\r\ndone", "done", "text/x; charset=utf-8")]
    [InlineData("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndone\r\n0\r\n\r\n", "done", "")]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", "", "")]
    public async Task An_answer_2xx_succeeds_with_its_body_as_the_result(string response, string result, string contentType)
    {
        TaskOutcome outcome = await OutcomeAsync(response);
        Assert.Null(outcome.Failure);
        Assert.Equal((result, contentType), (outcome.Text(), outcome.ContentType));
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(301, false)]
    [InlineData(304, false)]
    [InlineData(400, false)]
    [InlineData(404, false)]
    [InlineData(408, true)]
    [InlineData(410, false)]
    [InlineData(422, false)]
    [InlineData(425, true)]
    [InlineData(429, true)]
    [InlineData(500, true)]
    [InlineData(503, true)]
    [InlineData(599, true)]
    public async Task Any_other_answer_fails(int status, bool retryable)
    {
        Failure failure = await FailAsync($"HTTP/1.1 {status} Because\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal((FailureCode.HandlerError, retryable), (failure.Code, failure.Retryable));
        Assert.Contains($" answered {status}", failure.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_failure_has_the_beginning_of_the_body_as_its_detail_and_not_what_is_secret_in_the_address()
    {
        string body = "no such customer \0" + new string('x', 20_000);
        await using var endpoint = new RawEndpoint($"HTTP/1.1 422 Unprocessable\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        using var handlers = new HttpHandlers($"{endpoint.Address}/tasks?key=secret");
        Failure failure = Assert.IsType<Failure>((await handlers.RunAsync()).Failure);
        Assert.Equal($"{endpoint.Address}/tasks answered 422 Unprocessable", failure.Message);
        Assert.StartsWith("no such customer \uFFFDxxx", failure.Detail, StringComparison.Ordinal);
        Assert.Equal(Failure.DetailCharactersMax, failure.Detail.Length);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(503, "120", 120)]
    [InlineData(429, "Thu, 01 Jan 2026 00:01:30 GMT", 90)]
    [InlineData(408, "Wed, 31 Dec 2025 23:59:00 GMT", -60)]
    [InlineData(503, "soon", null)]
    [InlineData(503, "-1", null)]
    [InlineData(404, "120", null)]
    public async Task Retry_After_sets_the_least_pause(int status, string value, int? seconds)
    {
        await using var endpoint = new RawEndpoint($"HTTP/1.1 {status} Later\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n");
        using var handlers = new HttpHandlers(endpoint.Address, new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)));
        Assert.Equal(seconds, (await handlers.RunAsync()).RetryAfter?.TotalSeconds);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(ResultBytesMax, false)]
    [InlineData(ResultBytesMax + 1, true)]
    public async Task A_result_may_be_as_large_as_its_bound(int bytes, bool fails)
    {
        string body = new('x', bytes);
        Assert.Equal(fails ? FailureCode.ResultTooLarge : null, (await OutcomeAsync($"HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n{body}")).Failure?.Code);
        Assert.Equal(fails ? FailureCode.ResultTooLarge : null, (await OutcomeAsync($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{bytes:x}\r\n{body}\r\n0\r\n\r\n")).Failure?.Code);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(300)]
    [InlineData(20)]
    public async Task A_media_type_that_cannot_be_kept_is_left_out(int length)
    {
        string type = length > 255 ? "text/" + new string('x', length) : "text/\u00e4";
        Assert.Equal("", (await OutcomeAsync($"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nContent-Length: 0\r\n\r\n")).ContentType);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_is_compressed_is_the_result_as_it_came()
    {
        await using var endpoint = new RawEndpoint("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nGZIP");
        using var handlers = new HttpHandlers(endpoint.Address);
        Assert.Equal("GZIP", (await handlers.RunAsync()).Text());
        Assert.Null(endpoint.Requests.Single()["Accept-Encoding"]);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_answer_202_leaves_the_attempt_running_until_it_is_completed()
    {
        await using var endpoint = new RawEndpoint("HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nqueue");
        using var handlers = new HttpHandlers(endpoint.Address);
        using var context = new FakeTaskContext();
        Task<TaskOutcome> running = handlers.RunAsync(context);
        await context.Left.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(running.IsCompleted);

        context.Completed.SetResult(TaskOutcome.Succeeded(Encoding.UTF8.GetBytes("done later"), "text/x"));
        TaskOutcome outcome = await running;
        Assert.Equal(("done later", "text/x"), (outcome.Text(), outcome.ContentType));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_follows_an_answer_202_is_stopped_like_any_attempt()
    {
        await using var endpoint = new RawEndpoint("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
        using var handlers = new HttpHandlers(endpoint.Address);
        using var context = new FakeTaskContext();
        Task<TaskOutcome> running = handlers.RunAsync(context);
        await context.Left.WaitAsync(TestContext.Current.CancellationToken);
        context.Stop();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }
}
