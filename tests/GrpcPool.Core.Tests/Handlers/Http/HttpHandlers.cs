using System.Net;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Handlers.Http;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Tests.Handlers.Http;

/// <summary>A handler over HTTP with connections of its own.</summary>
internal sealed class HttpHandlers : IDisposable
{
    public const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    public const int ResultBytesMax = 1000;

    /// <summary>How long a test may take; none comes near it.</summary>
    public const int TimeoutMs = 30_000;

    private readonly HttpConnections _connections;
    private readonly HttpHandler _handler;

    public HttpHandlers(string url, TimeProvider? time = null, string? previousSecret = null, Func<string, CancellationToken, Task<IPAddress[]>>? lookUp = null)
    {
        _connections = lookUp is null ? new() : new(lookUp);
        _handler = new HttpHandler(new HttpHandlerOptions { Url = url, Secret = Secret, PreviousSecret = previousSecret }, _connections, ResultBytesMax, time ?? TimeProvider.System);
    }

    /// <summary>What a handler makes of an application that sends these bytes.</summary>
    public static Task<TaskOutcome> OutcomeAsync(string response) => OutcomeAsync(exchange => exchange.SendAsync(response));

    public static async Task<TaskOutcome> OutcomeAsync(Func<RawExchange, Task> answer)
    {
        await using var endpoint = new RawEndpoint(answer);
        using var handlers = new HttpHandlers(endpoint.Address);
        return await handlers.RunAsync();
    }

    public static async Task<Failure> FailAsync(Func<RawExchange, Task> answer) => Assert.IsType<Failure>((await OutcomeAsync(answer)).Failure);

    public static Task<Failure> FailAsync(string response) => FailAsync(exchange => exchange.SendAsync(response));

    public Task<TaskOutcome> RunAsync(FakeTaskContext context) => _handler.RunAsync(context, context.Stopping).AsTask();

    public async Task<TaskOutcome> RunAsync(string payload = "")
    {
        using var context = new FakeTaskContext(payload);
        return await RunAsync(context).WaitAsync(TestContext.Current.CancellationToken);
    }

    public void Dispose() => _connections.Dispose();
}
