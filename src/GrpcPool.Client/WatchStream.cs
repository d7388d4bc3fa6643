using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Client;

/// <summary>One stream of a watch. A server that does not even send its heartbeat counts as out of reach.</summary>
internal sealed class WatchStream : IDisposable
{
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SilenceMax = Heartbeat * 3;

    private readonly CancellationTokenSource _ending;
    private readonly ITimer _silence;
    private readonly AsyncServerStreamingCall<WatchResponse> _call;

    public WatchStream(PoolLink link, WatchRequest request, CancellationToken cancellation)
    {
        _ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _silence = link.Time.CreateTimer(static ending => ((CancellationTokenSource)ending!).Cancel(), _ending, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _call = link.Service.Watch(request, new CallOptions(cancellationToken: _ending.Token));
    }

    /// <summary>The next message; null at the end.</summary>
    public async Task<WatchResponse?> NextAsync()
    {
        _silence.Change(SilenceMax, Timeout.InfiniteTimeSpan);
        bool any = await _call.ResponseStream.MoveNext(_ending.Token).ConfigureAwait(false);

        // While the reader is at work, it is not the server that is silent.
        _silence.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        return any ? _call.ResponseStream.Current : null;
    }

    public void Dispose()
    {
        _silence.Dispose();
        _call.Dispose();
        _ending.Dispose();
    }
}
