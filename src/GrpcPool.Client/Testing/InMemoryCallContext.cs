using Grpc.Core;

namespace GrpcPool.Client.Testing;

/// <summary>What a service sees of a call within the process.</summary>
internal sealed class InMemoryCallContext : ServerCallContext, IDisposable
{
    private readonly CancellationTokenSource _ended;
    private readonly string _method;
    private readonly CallOptions _options;

    public InMemoryCallContext(string method, CallOptions options)
    {
        (_method, _options) = (method, options);
        _ended = CancellationTokenSource.CreateLinkedTokenSource(options.CancellationToken);
        CancellationTokenCore = _ended.Token;
    }

    protected override string MethodCore => _method;

    protected override string HostCore => "memory";

    protected override string PeerCore => "memory";

    protected override DateTime DeadlineCore => _options.Deadline ?? DateTime.MaxValue;

    protected override Metadata RequestHeadersCore => _options.Headers ?? [];

    protected override CancellationToken CancellationTokenCore { get; }

    protected override Metadata ResponseTrailersCore { get; } = [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore { get; } = new(null, []);

    public void Dispose()
    {
        _ended.Cancel();
        _ended.Dispose();
    }

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException("A call within the process has no context to propagate: hand its cancellation token and deadline to the next call yourself.");

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
}
