using Grpc.Core;
using Grpc.Net.Client;
using GrpcPool.V1;

namespace GrpcPool.Benchmarks.Load;

/// <summary>Watches of all that happens, which nobody reads any further than to where they follow.</summary>
internal sealed class Watchers : IDisposable
{
    private const int PerConnection = 500;

    private readonly GrpcChannel[] _channels;
    private readonly AsyncServerStreamingCall<byte[]>[] _watches;

    private Watchers(GrpcChannel[] channels, AsyncServerStreamingCall<byte[]>[] watches) => (_channels, _watches) = (channels, watches);

    public static async Task<Watchers> OpenAsync(ServerProcess pool, int count)
    {
        GrpcChannel[] channels = [.. Enumerable.Range(0, (count + PerConnection - 1) / PerConnection).Select(_ => pool.OpenChannel())];
        var request = new WatchRequest { Filter = new TaskFilter { Kinds = { "nobodys" } }, SkipSnapshot = true };
        AsyncServerStreamingCall<byte[]>[] watches = [.. Enumerable.Range(0, count).Select(i => EventCounter.OpenWatch(channels[i / PerConnection], request))];
        foreach (AsyncServerStreamingCall<byte[]> watch in watches)
        {
            if (!await watch.ResponseStream.MoveNext(CancellationToken.None))
                throw new InvalidOperationException("A watch has ended.");
        }

        return new Watchers(channels, watches);
    }

    public void Dispose()
    {
        foreach (AsyncServerStreamingCall<byte[]> watch in _watches)
            watch.Dispose();
        foreach (GrpcChannel channel in _channels)
            channel.Dispose();
    }
}
