using Grpc.Core;
using GrpcPool.Benchmarks.Limits;
using GrpcPool.Benchmarks.Load;
using GrpcPool.V1;

namespace GrpcPool.Benchmarks.Rows;

/// <summary>SubmitStream, against a stream that takes in the same bytes in the same batches and forgets them.</summary>
internal sealed class StreamIngestion : IBenchmark
{
    /// <summary>How many tasks one message carries: what a producer sends that passes on what comes in, rather than a bulk load.</summary>
    private const int BatchTasks = 10;

    public string Name => "stream";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        using var storage = Storage.Memory();
        await using ServerProcess bare = await ServerProcess.StartLimitsAsync();
        await using ServerProcess pool = await storage.StartPoolAsync();
        int batches = effort.Calls / BatchTasks;
        await IngestAsync(bare, effort.WarmCalls / BatchTasks);
        await SubmitAsync(pool, effort.WarmCalls / BatchTasks);

        var ratios = new List<double>();
        var rates = new List<Rate>();
        var limits = new List<Rate>();
        for (int round = 0; round < effort.Rounds; round++)
        {
            limits.Add(await IngestAsync(bare, batches));
            rates.Add(await SubmitAsync(pool, batches));
            ratios.Add(rates[^1].PerSecond / limits[^1].PerSecond);
        }

        return [new("SubmitStream ÷ bare client streaming of the same bytes, memory", 0.4, 0.7, ratios, Absolute: $"{Rate.Text(rates, "tasks")}, of {Rate.Text(limits, "tasks")}")];
    }

    private static async Task<Rate> IngestAsync(ServerProcess bare, int batches)
    {
        SubmitStreamRequest items = Items();
        (long begin, TimeSpan cpu) = (TimeProvider.System.GetTimestamp(), bare.Cpu);
        using AsyncClientStreamingCall<SubmitStreamRequest, Chunk> call = bare.Limits.Ingest();
        for (int i = 0; i < batches; i++)
            await call.RequestStream.WriteAsync(items);
        await call.RequestStream.CompleteAsync();
        await call;
        return Rate.Since(bare, batches * BatchTasks, begin, cpu);
    }

    private static async Task<Rate> SubmitAsync(ServerProcess pool, int batches)
    {
        (long begin, TimeSpan cpu) = (TimeProvider.System.GetTimestamp(), pool.Cpu);
        using AsyncDuplexStreamingCall<SubmitStreamRequest, SubmitStreamResponse> call = pool.Pool.SubmitStream();
        Task<int> accepted = CountAcceptedAsync(call.ResponseStream);
        SubmitStreamRequest items = Items();
        for (int i = 0; i < batches; i++)
            await call.RequestStream.WriteAsync(items);
        await call.RequestStream.CompleteAsync();
        if (await accepted != batches * BatchTasks)
            throw new InvalidOperationException("Not all tasks were accepted.");
        double seconds = TimeProvider.System.GetElapsedTime(begin).TotalSeconds;
        await PoolLoad.IdleAsync(pool.Pool);
        return Rate.Since(pool, batches * BatchTasks, begin, cpu) with { PerSecond = batches * BatchTasks / seconds };
    }

    private static async Task<int> CountAcceptedAsync(IAsyncStreamReader<SubmitStreamResponse> responses)
    {
        int accepted = 0;
        await foreach (SubmitStreamResponse response in responses.ReadAllAsync())
            accepted += response.Results.Count(static result => result.Error is null);
        return accepted;
    }

    private static SubmitStreamRequest Items()
    {
        var request = new SubmitStreamRequest();
        request.Items.AddRange(Enumerable.Range(0, BatchTasks).Select(i => new SubmitStreamItem { Sequence = i + 1, Task = PoolLoad.Echo }));
        return request;
    }
}
