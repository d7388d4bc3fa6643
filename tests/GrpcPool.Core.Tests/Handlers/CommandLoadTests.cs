using System.Diagnostics;
using GrpcPool.Core.Handlers;

namespace GrpcPool.Core.Tests.Handlers;

[CollectionDefinition(nameof(CommandLoadTests), DisableParallelization = true)]
[Collection(nameof(CommandLoadTests))]
public sealed class CommandLoadTests
{
    private const int Runs = 200;

    /// <summary>What is left of other tests comes and goes; a leak would be a handle for each run.</summary>
    private const int HandlesOfOthers = Runs / 4;

    [Fact(Timeout = 60000)]
    public async Task Open_handles_stay_flat_and_no_zombie_stays()
    {
        CommandHandler handler = Commands.Shell("(sleep 100 &) ; echo hello >&2; cat");
        await RunManyAsync(handler, 20);
        int before = ProcessWatch.OpenHandles();
        await RunManyAsync(handler, Runs);
        Assert.InRange(ProcessWatch.OpenHandles(), 0, before + HandlesOfOthers);
        await ProcessWatch.UntilNoZombiesAsync();
    }

    [Fact(Timeout = 60000)]
    public async Task Failing_starts_leak_no_handles()
    {
        CommandHandler handler = Commands.Of("/no/such/program");
        await RunManyAsync(handler, 20);
        int before = ProcessWatch.OpenHandles();
        await RunManyAsync(handler, Runs);
        Assert.InRange(ProcessWatch.OpenHandles(), 0, before + HandlesOfOthers);
    }

    [Fact(Timeout = 60000)]
    public async Task Two_hundred_idle_commands_hold_no_threads()
    {
        string mark = ProcessWatch.NewMark();
        using var context = new FakeTaskContext();
        int threadsBefore = ThreadPool.ThreadCount;
        CommandHandler handler = Commands.Of("/bin/sh", "-c", "sleep 1000; :", mark);
        Task<TaskOutcome>[] running = [.. Enumerable.Range(0, 200).Select(_ => handler.RunAsync(context))];
        await ProcessWatch.UntilAliveAsync(mark, 200);
        Assert.InRange(ThreadPool.ThreadCount, 0, threadsBefore + 20);

        context.Kill();
        await Task.WhenAll(running);
        Assert.Equal(0, ProcessWatch.Alive(mark));
        await ProcessWatch.UntilNoZombiesAsync();
    }

    [Fact(Timeout = 60000)]
    public async Task Children_of_the_application_around_are_left_to_it()
    {
        CommandHandler handler = Commands.Of("/bin/true");
        for (int i = 0; i < 50; i++)
        {
            using var own = Process.Start("/bin/sh", ["-c", "exit 7"]);
            await handler.RunAsync();
            await own.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(7, own.ExitCode);
        }
    }

    private static async Task RunManyAsync(CommandHandler handler, int count)
    {
        for (int i = 0; i < count; i++)
            await handler.RunAsync("payload");
    }
}
