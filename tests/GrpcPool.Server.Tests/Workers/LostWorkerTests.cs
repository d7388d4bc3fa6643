using System.Runtime.Versioning;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.Client.Tests.Infrastructure;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.Server.Tests.Polyglot;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Workers;

/// <summary>Real worker processes that are killed, stopped and cut off. Alone, for the time to the next start is measured.</summary>
[CollectionDefinition(nameof(LostWorkerTests), DisableParallelization = true)]
[Collection(nameof(LostWorkerTests))]
[SupportedOSPlatform("linux")]
public sealed class LostWorkerTests
{
    private const int TimeoutMs = 120_000;
    private const int Zombies = 8;

    /// <summary>
    /// A worker whose handler waits for a line, and which does not heed that a lease is lost. It tells what it begins, what it is refused and what was accepted.
    /// </summary>
    private const string Zombie = """
        import sys
        from worker import Worker

        class Zombie(Worker):
            def _take(self, response, stream):
                said = response.WhichOneof("message")
                if said != "lease_lost":
                    super()._take(response, stream)
                if said in ("lease_lost", "accepted"):
                    print(said, flush=True)

        def nap(attempt):
            print("begun", flush=True)
            sys.stdin.readline()
            return b"late"

        Zombie({sys.argv[2]: nap}, slots=1).run(sys.argv[1])
        """;

    private const string Healthy = """
        import sys
        from worker import Worker

        Worker({kind: lambda attempt: b"fresh" for kind in sys.argv[2:]}).run(sys.argv[1])
        """;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(0.5);

    [Theory(Timeout = TimeoutMs)]
    [InlineData("kill")]
    [InlineData("cut")]
    [InlineData("stop")]
    [InlineData("freeze")]
    public async Task The_task_of_a_worker_that_is_lost_runs_elsewhere_within_the_promised_time(string how)
    {
        await Language.RequireAsync("python");
        await using TestServer server = await StartAsync();
        await using var cable = new TcpProxy(server.GrpcAddress);
        using Script lost = Start(Zombie, cable.Address, "nap");
        await server.SubmitAsync(Nap("t", "nap"));
        await lost.SaysAsync("begun");
        using Script other = Start(Healthy, server.GrpcAddress, "nap", "first");
        await other.WhileItRunsAsync(server.RunAsync(Nap("first", "first")));

        long since = TimeProvider.System.GetTimestamp();
        await LoseAsync(how, lost, cable);
        TaskInfo ended = await other.WhileItRunsAsync(server.EndOfAsync("t"));

        TimeSpan elsewhere = TimeProvider.System.GetElapsedTime(since);
        TestContext.Current.TestOutputHelper?.WriteLine($"{how}: runs elsewhere after {elsewhere}");
        Assert.Equal((TaskState.Succeeded, "fresh", 1), (ended.State, ended.Result.ToStringUtf8(), ended.Losses));
        bool isSilent = how is "stop" or "freeze";
        Assert.InRange(elsewhere, isSilent ? Lease - Beat - Beat : Grace, isSilent ? Lease + TimeSpan.FromSeconds(5) : Grace + TimeSpan.FromSeconds(2));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_worker_that_was_stopped_past_its_lease_and_finishes_late_changes_nothing()
    {
        await Language.RequireAsync("python");
        await using TestServer server = await StartAsync();
        Script[] zombies = [.. Enumerable.Range(0, Zombies).Select(seed => Start(Zombie, server.GrpcAddress, Kind(seed)))];
        try
        {
            await Task.WhenAll(Enumerable.Range(0, Zombies).Select(seed => StopAsync(server, zombies[seed], seed)));
            using Script other = Start(Healthy, server.GrpcAddress, [.. Enumerable.Range(0, Zombies).Select(Kind)]);
            TaskInfo[] before = await other.WhileItRunsAsync(Task.WhenAll(Enumerable.Range(0, Zombies).Select(seed => server.EndOfAsync(Kind(seed)))));

            await Task.WhenAll(Enumerable.Range(0, Zombies).Select(seed => ReviveAsync(zombies[seed], seed)));

            for (int seed = 0; seed < Zombies; seed++)
                Assert.Equal(before[seed], await server.GetAsync(Kind(seed), TaskView.Full));
            Assert.All(before, static task => Assert.Equal(TaskState.Succeeded, task.State));
            Assert.All(before.Where(static (_, seed) => !FinishesBefore(seed)), static task => Assert.Equal(("fresh", 1), (task.Result.ToStringUtf8(), task.Losses)));
            Assert.All(before, static task => Assert.Equal(task.Losses == 1 ? "fresh" : "late", task.Result.ToStringUtf8()));
        }
        finally
        {
            Array.ForEach(zombies, static zombie => zombie.Dispose());
        }
    }

    /// <summary>Half of them are stopped in the very moment in which they report: whether that arrives is chance.</summary>
    private static bool FinishesBefore(int seed) => seed % 2 == 1;

    private static string Kind(int seed) => $"nap{seed}";

    private static async Task StopAsync(TestServer server, Script zombie, int seed)
    {
        await server.SubmitAsync(Nap(Kind(seed), Kind(seed)));
        await zombie.SaysAsync("begun");
        if (FinishesBefore(seed))
        {
            await zombie.SayAsync("finish");
            for (int i = 0; i < seed / 2; i++)
                await server.GetAsync(Kind(seed));
        }

        await zombie.SignalAsync("STOP");
    }

    private static async Task ReviveAsync(Script zombie, int seed)
    {
        await zombie.SignalAsync("CONT");
        if (!FinishesBefore(seed))
            await zombie.SayAsync("finish");
        await zombie.SaysAsync("accepted"); // The pool has read its late report, and answered.
    }

    private static Task LoseAsync(string how, Script worker, TcpProxy cable)
    {
        switch (how)
        {
            case "cut":
                cable.Lead(null);
                return Task.CompletedTask;
            case "freeze":
                cable.Freeze();
                return Task.CompletedTask;
            default:
                return worker.SignalAsync(how == "kill" ? "KILL" : "STOP");
        }
    }

    private static Task<TestServer> StartAsync() => TestServer.StartAsync(static options =>
    {
        options.UndeclaredKinds = UndeclaredKinds.Queue;
        (options.Workers.LeaseDuration, options.Workers.HeartbeatInterval, options.Workers.ResumeGrace) = (Lease, Beat, Grace);
    });

    private static Script Start(string program, Uri address, params IEnumerable<string> kinds) =>
        Script.Start("python", Language.Python, ["-c", program, address.Authority, .. kinds]);

    private static TaskSpec Nap(string id, string kind) => new()
    {
        Id = id,
        Kind = kind,
        Payload = ByteString.Empty,
        Retry = new RetryPolicy { InitialBackoff = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(10)) },
    };
}
