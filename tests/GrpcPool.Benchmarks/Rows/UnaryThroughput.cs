using Google.Protobuf;
using GrpcPool.Benchmarks.Limits;
using GrpcPool.Benchmarks.Load;

namespace GrpcPool.Benchmarks.Rows;

/// <summary>Submit, call by call, against an empty unary call of the same size.</summary>
internal sealed class UnaryThroughput(Func<Storage> open, double must, double aim) : IBenchmark
{
    private const string EchoMethod = "grpcpool.benchmarks.LimitService/Echo";

    private static readonly Chunk EchoRequest = new() { Data = ByteString.CopyFrom(new byte[PoolLoad.PayloadBytes]) };

    public string Name => "submit";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        using Storage storage = open();
        await using ServerProcess limits = await ServerProcess.StartLimitsAsync();
        await using ServerProcess pool = await storage.StartPoolAsync();
        await H2Load.RunAsync(limits, EchoMethod, EchoRequest, effort.WarmCalls);
        await SubmitAsync(pool, effort.WarmCalls);

        var echoes = new List<Rate>();
        var submits = new List<Rate>();
        for (int round = 0; round < effort.Rounds; round++)
        {
            echoes.Add(await H2Load.RunAsync(limits, EchoMethod, EchoRequest, effort.Calls));
            submits.Add(await SubmitAsync(pool, effort.Calls));
        }

        string figures = $"{Measurement.Text(Measurement.MedianOf(submits.Select(rate => rate.PerSecond)))} of {Measurement.Text(Measurement.MedianOf(echoes.Select(rate => rate.PerSecond)))} calls/s";
        string cpu = $"{Measurement.Text(Measurement.MedianOf(submits.Select(rate => rate.CpuPer100K)))} of {Measurement.Text(Measurement.MedianOf(echoes.Select(rate => rate.CpuPer100K)))} s per 100 k";
        return
        [
            new($"Submit, {storage.Name} ÷ empty unary echo, calls/s", must, aim, [.. submits.Zip(echoes, (submit, echo) => submit.PerSecond / echo.PerSecond)], Absolute: figures),
            new($"its server CPU ÷ echo's, {storage.Name}", storage.Name == "memory" ? 2.0 : double.PositiveInfinity, 1.5,
                [.. submits.Zip(echoes, (submit, echo) => submit.CpuPer100K / echo.CpuPer100K)], LessIsBetter: true, Absolute: cpu),
        ];
    }

    /// <summary>Submits tasks one by one, and waits until they have run.</summary>
    public static async Task<Rate> SubmitAsync(ServerProcess pool, int calls)
    {
        TimeSpan before = pool.Cpu;
        Rate rate = await H2Load.RunAsync(pool, PoolLoad.SubmitMethod, PoolLoad.Submit, calls);
        await PoolLoad.IdleAsync(pool.Pool);
        return rate with { CpuPer100K = (pool.Cpu - before).TotalSeconds / calls * 100_000 };
    }
}
