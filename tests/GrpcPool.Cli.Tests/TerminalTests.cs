using Google.Protobuf;
using GrpcPool.Cli.Tests.Infrastructure;
using GrpcPool.Cli.Watching;
using GrpcPool.V1;

namespace GrpcPool.Cli.Tests;

public sealed class TerminalTests(Pool pool)
{
    private const int Timeout = 120_000;

    [Fact(Timeout = Timeout)]
    public async Task Watch_draws_tasks_with_bars_and_leaves_their_ends_on_the_screen()
    {
        using var session = new Session(pool);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "sleep", Id = "slow", Payload = ByteString.CopyFromUtf8("""{"seconds": 600}""") }, TestContext.Current.CancellationToken);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "fail", Id = "bad", Payload = ByteString.CopyFromUtf8("""{"message": "boom"}""") }, TestContext.Current.CancellationToken);
        (string screen, _) = await new Terminal(session).RunAsync($"({Terminal.WhenShown("━", "grpcpool cancel slow --output id > cancelled")}) & grpcpool watch slow bad");

        Assert.Matches(@"(?m)^ ?■ +slow +sleep +cancelled\s*$", screen);
        Assert.Matches(@"(?m)^ ?✗ +bad +fail +failed +boom\s*$", screen);
        Assert.Contains("exit code 0", screen, StringComparison.Ordinal);
    }

    [Fact(Timeout = Timeout)]
    public async Task What_comes_while_it_draws_is_drawn_as_well()
    {
        var reading = new TaskCompletionSource();
        bool wasComplete = false;
        await WatchTable.KeepDrawnAsync(reading.Task, () =>
        {
            wasComplete = reading.Task.IsCompleted;
            reading.TrySetResult();
        });

        Assert.True(wasComplete);
    }

    [Fact(Timeout = Timeout)]
    public async Task Interrupted_watch_leaves_each_task_once_on_the_screen()
    {
        using var session = new Session(pool);
        var later = new TaskSpec { Kind = "echo", Id = "later", Delay = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromHours(1)) };
        await session.Client.SubmitAsync(later, TestContext.Current.CancellationToken);
        (string screen, _) = await new Terminal(session).RunAsync($"({Terminal.WhenShown("later", Terminal.Interrupt)}) & grpcpool watch");

        Assert.Matches(@"^ ?· +later +echo +scheduled +not due yet *(\^C)?\n+exit code 130\n", screen);
    }

    [Fact(Timeout = Timeout)]
    public async Task A_result_without_a_line_end_leaves_the_next_line_to_the_shell()
    {
        using var session = new Session(pool);
        (string screen, _) = await new Terminal(session).RunAsync("grpcpool run echo hello; grpcpool submit echo --wait");

        Assert.StartsWith("hello\nexit code 0\n", screen, StringComparison.Ordinal);
    }

    [Fact(Timeout = Timeout)]
    public async Task Run_shows_progress_below_the_log_and_leaves_only_log_and_result()
    {
        using var session = new Session(pool);
        (string screen, string drawn) = await new Terminal(session).RunAsync("grpcpool run sleep '{\"seconds\": 0.5, \"steps\": 2}'; echo hello | grpcpool run chat -");

        Assert.StartsWith("one\ntwo\nhello\nexit code 0\n", screen, StringComparison.Ordinal);
        Assert.Contains("running", drawn, StringComparison.Ordinal);
    }

    [Fact(Timeout = Timeout)]
    public async Task Bulk_draws_a_bar_and_leaves_the_sum()
    {
        using var session = new Session(pool);
        await session.WriteFileAsync("tasks.jsonl", string.Concat(Enumerable.Repeat("{\"kind\": \"echo\"}\n", 2000)));
        (string screen, string drawn) = await new Terminal(session).RunAsync("grpcpool bulk tasks.jsonl");

        Assert.StartsWith("2,000 tasks accepted.\nexit code 0\n", screen, StringComparison.Ordinal);
        Assert.Contains('━', drawn);
    }

    [Fact(Timeout = Timeout)]
    public async Task Colours_are_off_where_they_are_not_wanted()
    {
        using var session = new Session(pool);
        (_, string coloured) = await new Terminal(session).RunAsync("grpcpool submit echo hello --output table");
        (_, string plain) = await new Terminal(session).RunAsync("NO_COLOR=1 grpcpool submit echo hello --output table");

        Assert.Contains("\e[90mID", coloured, StringComparison.Ordinal);
        Assert.DoesNotContain("\e[90m", plain, StringComparison.Ordinal);
    }
}
