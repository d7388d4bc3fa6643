using Google.Protobuf;
using GrpcPool.Cli.Tests.Infrastructure;
using GrpcPool.Client;
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
        (string left, string screen, _) = await ShowAsync(session, width: 100, "slow");

        Assert.Equal("before\nexit code 0", left.TrimEnd());
        Assert.Matches(@"^ grpcpool top http://127\.0\.0\.1:\d+/ +open for .* +q leaves\s*\n", screen);
        Assert.Matches(@"(?m)^ *slots +━+ +\d+ of 64 ", screen);
        Assert.Matches(@"(?m)^ *seen +━+ +1 slot +1 +waiting +[\d.,]+/s +open", screen);
        Assert.Matches(@"(?m)^ *▶ +slow +sleep +━+ +[\d.]+ s", screen);
    }

    [Fact(Timeout = Timeout)]
    public async Task Eighty_columns_show_all_of_it_and_ids_as_a_whole()
    {
        using var session = new Session(pool);
        (_, string screen, string id) = await ShowAsync(session, width: 80);

        Assert.Matches(@"^ grpcpool top http://127\.0\.0\.1:\d+/ +open for .* +q leaves\s*\n", screen);
        Assert.Matches(@"(?m)^ *slots +━+ +\d+ of 64 +in [\d.,]+/s +started [\d.,]+/s *$", screen);
        Assert.Matches(@"(?m)^ *workers +━+ +none +done [\d.,]+/s +failed [\d.,]+/s *$", screen);
        Assert.Matches(@"(?m)^ *seen +━+ +1 slot +1 +waiting +[\d.,]+/s +open *$", screen);
        Assert.Matches($@"(?m)^ *▶ +{id} +sleep +━+ +[\d.]+ s( +\d+ % .*)?$", screen);
    }

    [Fact(Timeout = Timeout)]
    public async Task Forty_columns_show_less_and_cut_off_nothing_of_that()
    {
        using var session = new Session(pool);
        (_, string screen, _) = await ShowAsync(session, width: 40, "slow-with-a-name-that-is-too-long-for-it", shown: "slow-wi");

        Assert.Matches(@"^ top open for .* s +q leaves *\n", screen);
        Assert.Matches(@"(?m)^ *slots +━+ +\d+ of 64 *$", screen);
        Assert.Matches(@"(?m)^ *rates +[\d.,]+/s done, [\d.,]+/s in *$", screen);
        Assert.Matches(@"(?m)^ *seen +1 +1 *$", screen);
        Assert.Matches(@"(?m)^ *▶ +slow-wi…g-for-it +━{6} +[\d.]+ s *$", screen);
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

    /// <summary>Shows it until a task is seen, which runs beside one that waits in the queue <c>seen</c>, and leaves.</summary>
    /// <returns>What is left on the screen, what was on it, and the task's id.</returns>
    private static async Task<(string Left, string Screen, string Id)> ShowAsync(Session session, int width, string id = "", string? shown = null)
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        TaskHandle slow = await session.Client.SubmitAsync(new TaskSpec { Kind = "sleep", Id = id, Queue = "seen", Payload = ByteString.CopyFromUtf8("""{"seconds": 600, "steps": 1000}""") }, stop);
        TaskHandle later = await session.Client.SubmitAsync(new TaskSpec { Kind = "echo", Queue = "seen", Delay = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromHours(1)) }, stop);
        (string left, _) = await new Terminal(session, width).RunAsync($"echo before; ({Terminal.WhenShown(shown ?? slow.Id, $"{Screen}; tmux -L terminal send-keys q")}) & grpcpool top --interval 0.2s");
        await session.RunAsync("cancel", slow.Id, later.Id, "--force-after", "0s");
        return (left, await File.ReadAllTextAsync(Path.Combine(session.WorkingFolder, "screen"), stop), slow.Id);
    }
}
