using Google.Protobuf;
using GrpcPool.Cli.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Cli.Tests;

/// <summary><c>top</c> in a real terminal.</summary>
public sealed class TopTests(Pool pool)
{
    private const int Timeout = 120_000;

    private const string Screen = "tmux -L terminal capture-pane -p > screen";

    [Fact(Timeout = Timeout)]
    public async Task It_fills_the_screen_and_q_gives_the_terminal_back()
    {
        using var session = new Session(pool);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "sleep", Id = "slow", Queue = "seen", Payload = ByteString.CopyFromUtf8("""{"seconds": 600, "steps": 1000}""") }, TestContext.Current.CancellationToken);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "echo", Id = "later", Queue = "seen", Delay = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromHours(1)) }, TestContext.Current.CancellationToken);
        (string left, _) = await new Terminal(session).RunAsync($"echo before; ({Terminal.WhenShown("slow", $"{Screen}; tmux -L terminal send-keys q")}) & grpcpool top --interval 0.2s");
        string screen = await File.ReadAllTextAsync(Path.Combine(session.WorkingFolder, "screen"), TestContext.Current.CancellationToken);
        await session.RunAsync("cancel", "slow", "--force-after", "0s");

        Assert.Equal("before\nexit code 0", left.TrimEnd());
        Assert.Matches(@"^ grpcpool top http://127\.0\.0\.1:\d+/ +open for .* +q leaves\s*\n", screen);
        Assert.Matches(@"(?m)^ *slots +━+ +\d+ of 64 ", screen);
        Assert.Matches(@"(?m)^ *seen +━+ +1 slots +1 +waiting +[\d.,]+/s +open", screen);
        Assert.Matches(@"(?m)^ *▶ +slow +sleep +━+ +[\d.]+ s", screen);
    }

    [Fact(Timeout = Timeout)]
    public async Task Ctrl_C_gives_the_terminal_back_too()
    {
        using var session = new Session(pool);
        (string left, string drawn) = await new Terminal(session).RunAsync($"echo before; ({Terminal.WhenShown("queues", Terminal.Interrupt)}) & grpcpool top");

        Assert.Matches(@"^before\n(\^C)?\n?exit code 130\s*$", left);
        Assert.Contains("\e[?1049h", drawn, StringComparison.Ordinal);
        Assert.Contains("\e[?25h", drawn, StringComparison.Ordinal);
    }
}
