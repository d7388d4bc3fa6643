using Google.Protobuf;
using GrpcPool.Chaos.Faults;
using GrpcPool.Chaos.Histories;
using GrpcPool.V1;

namespace GrpcPool.Chaos.Scenarios;

/// <summary>
/// Waiting tasks whose payloads alone are more than the server's heap may have. It takes them all, still runs others, and is killed and started again with them.
/// </summary>
internal static class HeapRun
{
    private const int HeapBytesMax = 64 << 20, PayloadBytes = 1000, Batch = 1000;

    private const string NobodysKind = "nobodys";

    /// <returns>How many tasks the server had to hold, and how many it counts after a restart.</returns>
    public static async Task<(int Submitted, long Counted)> RunAsync(int tasks, CancellationToken stop)
    {
        await using var site = new Site(["UndeclaredKinds=Queue"], environment: new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = $"0x{HeapBytesMax:x}" });
        await site.StartAsync(stop);
        var load = new Load(new History(), new LoadPlan(0));
        var payload = ByteString.CopyFrom(new byte[PayloadBytes]);
        for (int first = 0; first < tasks; first += Batch)
        {
            int from = first;
            await load.RepeatAsync(site.Client, Enumerable.Range(from, Batch).Select(i => new TaskSpec { Id = $"w{i}", Kind = NobodysKind, Payload = payload }), stop);
        }

        await RunOneAsync(site, "before", stop);
        await site.KillAsync();
        await site.StartAsync(stop);
        await RunOneAsync(site, "after", stop);
        return (tasks, (await site.Client.CountAsync(new CountRequest { Filter = new TaskFilter { States = { TaskState.Queued } } }, cancellationToken: stop)).Total);
    }

    private static async Task RunOneAsync(Site site, string id, CancellationToken stop)
    {
        await site.Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Id = id, Kind = "echo" } }, cancellationToken: stop);
        await site.Client.WaitAsync(new WaitRequest { Id = id }, cancellationToken: stop);
    }
}
