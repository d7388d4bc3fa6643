using Grpc.Core;
using Grpc.Net.Client;
using GrpcPool.Benchmarks.Limits;
using GrpcPool.Benchmarks.Load;
using GrpcPool.V1;

namespace GrpcPool.Benchmarks.Rows;

/// <summary>Many watchers of all that happens, against as many bare streams that carry the same bytes, one event a message.</summary>
internal sealed class WatchFanOut : IBenchmark
{
    private const int Watchers = 64;
    private const int Connections = 4;

    /// <summary>What one event takes on the wire, found before the limit is measured.</summary>
    private int _eventBytes;

    public string Name => "watch";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        using var storage = Storage.Memory();
        await using ServerProcess bare = await ServerProcess.StartLimitsAsync();
        await using ServerProcess pool = await storage.StartPoolAsync();
        // For seconds: with less, the just-in-time compiler is at work in most of what is measured.
        int tasks = effort.Calls;
        await WatchAsync(pool, effort.WarmCalls);
        await EmitAsync(bare, tasks);

        var ratios = new List<double>();
        var rates = new List<Rate>();
        var limits = new List<Rate>();
        for (int round = 0; round < effort.Rounds; round++)
        {
            rates.Add(await WatchAsync(pool, tasks));
            limits.Add(await EmitAsync(bare, tasks / 2));
            ratios.Add(rates[^1].PerSecond / limits[^1].PerSecond);
        }

        return [new($"Watch by filter, {Watchers} watchers, events/s ÷ bare server streaming, one event a message", 1, 4, ratios, Absolute: $"{Rate.Text(rates, "events")}, of {Rate.Text(limits, "events")}")];
    }

    private async Task<Rate> WatchAsync(ServerProcess pool, int tasks)
    {
        GrpcChannel[] channels = [.. Enumerable.Range(0, Connections).Select(_ => pool.OpenChannel())];
        var request = new WatchRequest { Filter = new TaskFilter { Kinds = { "echo" } }, SkipSnapshot = true };
        AsyncServerStreamingCall<byte[]>[] watches = [.. Enumerable.Range(0, Watchers).Select(i => EventCounter.OpenWatch(channels[i % Connections], request))];
        await Task.WhenAll(watches.Select(static watch => watch.ResponseStream.MoveNext()));

        (long begin, TimeSpan cpu) = (TimeProvider.System.GetTimestamp(), pool.Cpu);
        using var done = new CancellationTokenSource();
        Task<(long Events, long Bytes)>[] readers = [.. watches.Select(watch => Task.Run(() => ReadAsync(watch, done.Token)))];
        await PoolLoad.LiveAsync(pool, tasks);
        await done.CancelAsync();
        (long Events, long Bytes)[] read = await Task.WhenAll(readers);
        long events = read.Sum(static one => one.Events);
        Rate rate = Rate.Since(pool, events, begin, cpu);
        _eventBytes = (int)(read.Sum(static one => one.Bytes) / events);
        foreach (GrpcChannel channel in channels)
            channel.Dispose();
        return rate;
    }

    private static async Task<(long Events, long Bytes)> ReadAsync(AsyncServerStreamingCall<byte[]> watch, CancellationToken done)
    {
        using (watch)
        {
            (long Events, long Bytes) read = default;
            try
            {
                while (await watch.ResponseStream.MoveNext(done))
                    read = (read.Events + EventCounter.Count(watch.ResponseStream.Current), read.Bytes + watch.ResponseStream.Current.Length);
            }
            catch (RpcException) when (done.IsCancellationRequested)
            {
                // All tasks have ended, and what was on its way then does not count.
            }

            return read;
        }
    }

    private async Task<Rate> EmitAsync(ServerProcess bare, int messages)
    {
        GrpcChannel[] channels = [.. Enumerable.Range(0, Connections).Select(_ => bare.OpenChannel())];
        var request = new EmitRequest { Messages = messages, Bytes = _eventBytes };
        (long begin, TimeSpan cpu) = (TimeProvider.System.GetTimestamp(), bare.Cpu);
        (long Events, long Bytes)[] read = await Task.WhenAll(Enumerable.Range(0, Watchers)
            .Select(i => Task.Run(() => ReadAsync(EventCounter.OpenEmit(channels[i % Connections], request), CancellationToken.None))));
        var rate = Rate.Since(bare, read.Sum(static one => one.Events), begin, cpu);
        foreach (GrpcChannel channel in channels)
            channel.Dispose();
        return rate;
    }
}
