using GrpcPool.Benchmarks.Load;

namespace GrpcPool.Benchmarks.Rows.Figures;

/// <summary>Submit, call by call, by the native program against the same under JIT; nothing where no native one is given.</summary>
internal sealed class NativeThroughput : IBenchmark
{
    public string Name => "figures";

    public async Task<IReadOnlyList<Measurement>> RunAsync(Effort effort)
    {
        if (effort.Native is null)
            return [];
        using var storage = Storage.Memory();
        await using ServerProcess native = await storage.StartPoolAsync(effort.Native, []);
        await using ServerProcess jit = await storage.StartPoolAsync();
        await UnaryThroughput.SubmitAsync(native, effort.WarmCalls);
        await UnaryThroughput.SubmitAsync(jit, effort.WarmCalls);
        var natives = new List<Rate>();
        var jits = new List<Rate>();
        for (int round = 0; round < effort.Rounds; round++)
        {
            jits.Add(await UnaryThroughput.SubmitAsync(jit, effort.Calls));
            natives.Add(await UnaryThroughput.SubmitAsync(native, effort.Calls));
        }

        return [new("calls/s, Native AOT ÷ JIT, Submit, memory", 0.85, 0.95, [.. natives.Zip(jits, static (one, other) => one.PerSecond / other.PerSecond)], Absolute: $"{Rate.Text(natives, "calls")}, of {Rate.Text(jits, "calls")}")];
    }
}
