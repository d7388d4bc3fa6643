using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.Chaos.Faults;
using GrpcPool.Chaos.Histories;
using GrpcPool.V1;

namespace GrpcPool.Chaos.Scenarios;

/// <summary>A command that kills the server, beside innocent tasks; each time the server is started again.</summary>
internal static class PoisonRun
{
    public const string PoisonId = "poison";

    private const int Innocents = 100;

    private static readonly RetryPolicy Retry = new() { InitialBackoff = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(20)) };

    /// <summary>Long enough for the next server to listen before it is killed.</summary>
    private static readonly RetryPolicy PoisonRetry = new() { InitialBackoff = Duration.FromTimeSpan(TimeSpan.FromSeconds(2)) };

    /// <returns>What came of it, and how often the poison was started.</returns>
    public static async Task<(Outcome Outcome, TaskInfo Poison, int Starts)> RunAsync(int seed, CancellationToken stop)
    {
        await using var site = new Site();
        (History history, Observer observer) = (new(), new());
        await site.StartAsync(stop);
        Task watch = await observer.FollowAsync(site.Client, stop);
        var load = new Load(history, new LoadPlan(seed));
        await load.RepeatAsync(site.Client, [.. Enumerable.Range(0, Innocents).Select(Innocent), Poison()], stop);

        Task ended = observer.WhenAllEndedAsync(history.Accepted);
        while (await Task.WhenAny(ended, site.Death).WaitAsync(stop) != ended)
        {
            await watch;
            await site.StartAsync(stop);
            watch = await observer.FollowAsync(site.Client, stop);
        }

        IReadOnlyList<TaskInfo> tasks = await site.ListAsync(stop);
        IReadOnlyList<string> violations = new Checker(history, observer, site.Record, site.Deaths).Judge(tasks);
        Outcome outcome = Outcome.Of(seed, site, history, tasks, violations);
        return (outcome, tasks.Single(static task => task.Id == PoisonId), site.Record.Read()[PoisonId].Starts);
    }

    /// <summary>Some last so long that the poison finds them running.</summary>
    private static TaskSpec Innocent(int number) => new()
    {
        Id = $"innocent{number}",
        Kind = number % 10 == 0 ? HandlerRecord.RecordKind : "sleep",
        Payload = ByteString.CopyFromUtf8("""{"seconds":0.3}"""),
        Retry = Retry,
    };

    /// <summary>It begins a little later, so that its submission is answered before.</summary>
    private static TaskSpec Poison() => new()
    {
        Id = PoisonId,
        Kind = HandlerRecord.PoisonKind,
        Retry = PoisonRetry,
        Delay = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(300)),
        Priority = 1,
    };
}
