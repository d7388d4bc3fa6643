using System.Net;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Tests.Handlers.Http.HttpHandlers;

namespace GrpcPool.Core.Tests.Handlers.Http;

public sealed class HttpConnectionTests
{
    private const string Done = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone";

    [Fact(Timeout = TimeoutMs)]
    public async Task A_connection_serves_many_tasks()
    {
        await using var endpoint = new RawEndpoint(Done);
        using var handlers = new HttpHandlers(endpoint.Address);
        for (int i = 0; i < 100; i++)
            Assert.Equal("done", (await handlers.RunAsync()).Text());
        Assert.Equal(100, endpoint.Requests.Count);
        // A machine that stands still for more than the idle timeout costs a connection.
        Assert.InRange(endpoint.Connections, 1, 5);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Attempts_at_the_same_time_do_not_wait_for_each_other()
    {
        const int Attempts = 50;
        int waiting = 0;
        TaskCompletionSource all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var endpoint = new RawEndpoint(async exchange =>
        {
            if (Interlocked.Increment(ref waiting) == Attempts)
                all.SetResult();
            await all.Task;
            await exchange.SendAsync(Done);
        });
        using var handlers = new HttpHandlers(endpoint.Address);
        TaskOutcome[] outcomes = await Task.WhenAll(Enumerable.Range(0, Attempts).Select(_ => handlers.RunAsync()));
        Assert.All(outcomes, outcome => Assert.Equal("done", outcome.Text()));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_connection_that_the_application_closes_is_replaced()
    {
        await using var endpoint = new RawEndpoint(async exchange =>
        {
            await exchange.SendAsync("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndone");
            await exchange.CloseAsync();
        });
        using var handlers = new HttpHandlers(endpoint.Address);
        for (int i = 0; i < 5; i++)
            Assert.Equal("done", (await handlers.RunAsync()).Text());
        Assert.Equal(5, endpoint.Connections);
    }

    /// <summary>What the environment says of proxies is read once per process, into the default proxy.</summary>
    [Fact(Timeout = TimeoutMs)]
    public async Task A_proxy_of_the_environment_has_no_effect()
    {
        await using var proxy = new RawEndpoint("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
        await using var endpoint = new RawEndpoint(Done);
        IWebProxy before = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new ProxyOfAll(new Uri(proxy.Address));
        try
        {
            using var handlers = new HttpHandlers(endpoint.Address);
            Assert.Equal("done", (await handlers.RunAsync()).Text());
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }

        Assert.Equal(0, proxy.Connections);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("169.254.169.254")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("fe80::1")]
    public async Task A_name_that_comes_to_stand_for_a_link_local_address_leads_nowhere(string rebound)
    {
        await using var endpoint = new RawEndpoint(async exchange =>
        {
            await exchange.SendAsync("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndone");
            await exchange.CloseAsync();
        });
        IPAddress[] addresses = [IPAddress.Loopback];
        using var handlers = new HttpHandlers($"http://rebinding.test:{new Uri(endpoint.Address).Port}/", lookUp: (_, _) => Task.FromResult(addresses));
        Assert.Equal("done", (await handlers.RunAsync()).Text());

        addresses = [IPAddress.Parse(rebound)];
        Failure failure = Assert.IsType<Failure>((await handlers.RunAsync()).Failure);
        Assert.Equal(FailureCode.Unreachable, failure.Code);
        Assert.Contains("link-local", failure.Message, StringComparison.Ordinal);

        addresses = [IPAddress.Parse(rebound), IPAddress.Loopback];
        Assert.Equal("done", (await handlers.RunAsync()).Text());
        Assert.Equal(2, endpoint.Connections);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Cookies_are_not_kept()
    {
        await using var endpoint = new RawEndpoint("HTTP/1.1 200 OK\r\nSet-Cookie: session=1; Path=/\r\nContent-Length: 0\r\n\r\n");
        using var handlers = new HttpHandlers(endpoint.Address);
        await handlers.RunAsync();
        await handlers.RunAsync();
        Assert.All(endpoint.Requests, request => Assert.Null(request["Cookie"]));
    }

    private sealed class ProxyOfAll(Uri address) : IWebProxy
    {
        public ICredentials? Credentials { get; set; }

        public Uri GetProxy(Uri destination) => address;

        public bool IsBypassed(Uri host) => false;
    }
}
