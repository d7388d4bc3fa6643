using System.Net;
using System.Net.Sockets;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;
using Microsoft.Extensions.Time.Testing;
using static GrpcPool.Core.Tests.Handlers.Http.HttpHandlers;

namespace GrpcPool.Core.Tests.Handlers.Http;

/// <summary>Applications that keep no rule.</summary>
public sealed class HttpMisbehaviourTests
{
    [Theory(Timeout = TimeoutMs)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n")]
    public async Task A_body_without_end_is_cut_off_and_fails(string head)
    {
        TaskCompletionSource closed = new();
        await using var endpoint = new RawEndpoint(async exchange =>
        {
            await exchange.SendAsync(head);
            try
            {
                while (true)
                    await exchange.SendAsync("400\r\n" + new string('x', 0x400) + "\r\n");
            }
            catch (IOException)
            {
                closed.SetResult();
            }
        });
        using var handlers = new HttpHandlers(endpoint.Address);
        Failure failure = Assert.IsType<Failure>((await handlers.RunAsync()).Failure);
        Assert.Equal((FailureCode.ResultTooLarge, false), (failure.Code, failure.Retryable));
        await closed.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_body_that_is_announced_as_too_large_is_not_waited_for()
    {
        Failure failure = await FailAsync("HTTP/1.1 200 OK\r\nContent-Length: 9000000000000\r\n\r\n");
        Assert.Equal((FailureCode.ResultTooLarge, false), (failure.Code, failure.Retryable));
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_not_followed(int status)
    {
        await using var elsewhere = new RawEndpoint("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Failure failure = await FailAsync($"HTTP/1.1 {status} Elsewhere\r\nLocation: {elsewhere.Address}/latest/meta-data\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal((FailureCode.HandlerError, false), (failure.Code, failure.Retryable));
        Assert.EndsWith($" answered {status}; redirects are not followed", failure.Message, StringComparison.Ordinal);
        Assert.Equal((0, 0), (elsewhere.Connections, elsewhere.Requests.Count));
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("")]
    [InlineData("HTTP/1.1 200")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nonly this")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nthis\r\n")]
    public async Task An_answer_that_ends_early_is_none(string begun)
    {
        foreach (bool reset in new[] { false, true })
        {
            Failure failure = await FailAsync(async exchange =>
            {
                await exchange.SendAsync(begun);
                await exchange.CloseAsync(reset);
            });
            Assert.Equal((FailureCode.Unreachable, true), (failure.Code, failure.Retryable));
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task More_body_than_was_announced_is_no_part_of_the_result_nor_of_the_next_answer()
    {
        await using var endpoint = new RawEndpoint("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndoneHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
        using var handlers = new HttpHandlers(endpoint.Address);
        for (int i = 0; i < 3; i++)
            Assert.Equal("done", (await handlers.RunAsync()).Text());
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("SSH-2.0-OpenSSH_9.9\r\n\r\n")]
    [InlineData("HTTP/1.1 two hundred\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")]
    public async Task What_is_no_HTTP_fails_retryably(string response)
    {
        Failure failure = await FailAsync(response);
        Assert.Equal((FailureCode.HandlerError, true), (failure.Code, failure.Retryable));
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(1, 1_000_000)]
    [InlineData(100_000, 10)]
    public async Task Headers_without_end_are_cut_off(int count, int length)
    {
        string header = $"X: {new string('x', length)}\r\n";
        Failure failure = await FailAsync(async exchange =>
        {
            await exchange.SendAsync("HTTP/1.1 200 OK\r\n");
            for (int i = 0; i < count; i++)
                await exchange.SendAsync(header);
        });
        Assert.Equal((FailureCode.HandlerError, true), (failure.Code, failure.Retryable));
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nX-Slow: ")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nslow")]
    [InlineData("HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nslow")]
    public async Task Being_stopped_closes_the_connection_wherever_the_answer_is(string begun)
    {
        TaskCompletionSource asked = new(), closed = new();
        await using var endpoint = new RawEndpoint(async exchange =>
        {
            await exchange.SendAsync(begun);
            asked.SetResult();
            await exchange.ClosedAsync();
            closed.SetResult();
        });
        using var handlers = new HttpHandlers(endpoint.Address, new FakeTimeProvider());
        using var context = new FakeTaskContext();
        Task<TaskOutcome> running = handlers.RunAsync(context);
        await asked.Task.WaitAsync(TestContext.Current.CancellationToken);
        context.Stop();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await closed.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_text_of_a_failure_is_not_waited_for_long()
    {
        await using var endpoint = new RawEndpoint(async exchange =>
        {
            await exchange.SendAsync("HTTP/1.1 400 Wrong\r\nContent-Length: 100\r\n\r\n");
            await exchange.ClosedAsync();
        });
        var time = new FakeTimeProvider();
        using var handlers = new HttpHandlers(endpoint.Address, time);
        Task<TaskOutcome> running = handlers.RunAsync();
        while (!running.IsCompleted)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        Failure failure = Assert.IsType<Failure>((await running).Failure);
        Assert.Equal((FailureCode.HandlerError, false), (failure.Code, failure.Retryable));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_application_that_does_not_listen_or_does_not_exist_is_unreachable()
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        string address = $"http://{closed.LocalEndpoint}";
        closed.Stop();
        foreach (string url in new[] { address, "http://no-such-host.invalid/" })
        {
            using var handlers = new HttpHandlers(url);
            Failure failure = Assert.IsType<Failure>((await handlers.RunAsync()).Failure);
            Assert.Equal((FailureCode.Unreachable, true), (failure.Code, failure.Retryable));
        }
    }
}
