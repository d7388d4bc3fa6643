using System.CommandLine;
using GrpcPool.Benchmarks;
using GrpcPool.Benchmarks.Limits;
using GrpcPool.Benchmarks.Load;
using GrpcPool.Benchmarks.Rows;
using GrpcPool.Benchmarks.Rows.Figures;

if (args is [LimitServer.Command, var port])
    return await LimitServer.RunAsync(port);
if (args is [Attacker.Command, var flood, var at])
    return await Attacker.RunAsync(flood, at);

IBenchmark[] benchmarks =
[
    new UnaryThroughput(Storage.Memory, must: 0.50, aim: 0.70),
    new UnaryThroughput(Storage.Sqlite, must: 0.30, aim: 0.45),
    new TelemetryCost(),
    new LoneSubmit(),
    new BatchLife(),
    new StreamIngestion(),
    new WatchFanOut(),
    new SubmitToWatched(Storage.Memory, must: 1, aim: 0.5),
    new SubmitToWatched(Storage.Sqlite, must: 3, aim: 1.5),
    new WorkerThroughput(),
    new WorkerLife(),
    new WorkerLatency(Storage.Memory),
    new WorkerLatency(Storage.Sqlite),
    new Backlog(),
    new ManyRows(),
    new Overload(),
    new OtherClients(),
    new StartTime(),
    new IdleMemory(),
    new MemoryOverTime(),
    new IdleWatchers(),
    new NativeThroughput(),
];

Argument<string[]> names = new("name") { Description = "What to measure; everything by default.", Arity = ArgumentArity.ZeroOrMore };
names.AcceptOnlyFromAmong([.. benchmarks.Select(static benchmark => benchmark.Name).Distinct()]);
Option<bool> quick = new("--quick") { Description = "Little of everything, to see whether it works; the figures mean little." };
Option<string> json = new("--json") { Description = "Where to write the measurements.", DefaultValueFactory = static _ => "benchmarks.json" };
Option<string?> native = new("--native") { Description = "The published native program, for what is measured of it; under JIT without it.", DefaultValueFactory = static _ => Environment.GetEnvironmentVariable("GRPCPOOL_NATIVE") };
var root = new RootCommand("Measures the pool against what gRPC and SQLite alone can do on this machine. Needs h2load (nghttp2-client).") { names, quick, json, native };
root.SetAction(async result =>
{
    string[] chosen = result.GetValue(names)!;
    Effort effort = (result.GetValue(quick) ? Effort.Quick : Effort.Full) with { Native = result.GetValue(native) };
    var measurements = new List<Measurement>();
    foreach (IBenchmark benchmark in benchmarks.Where(benchmark => chosen.Length == 0 || chosen.Contains(benchmark.Name)))
    {
        Console.Error.WriteLine($"{benchmark.Name} …");
        measurements.AddRange(await benchmark.RunAsync(effort));
    }

    Report.Print(measurements);
    await Report.WriteAsync(result.GetValue(json)!, measurements);
    return measurements.TrueForAll(static one => one.Met) ? 0 : 1;
});
return await root.Parse(args).InvokeAsync();
