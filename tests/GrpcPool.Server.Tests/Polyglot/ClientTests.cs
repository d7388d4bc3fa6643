using System.Globalization;
using System.Text.RegularExpressions;
using GrpcPool.Client.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Polyglot;

/// <summary>The client of each language, with the kinds that the server has itself.</summary>
public sealed partial class ClientTests
{
    private const int TimeoutMs = 600_000;

    public static TheoryData<string> Names => [.. Language.Names];

    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Names))]
    public async Task A_client_submits_and_watches(string name)
    {
        Language language = await Language.RequireAsync(name);
        using PolyglotServer server = await PolyglotServer.StartAsync();

        string id = await language.RunClientAsync(server, "submit", "echo", "ein Grüßchen");
        Assert.EndsWith("result: ein Grüßchen", await language.RunClientAsync(server, "watch", id), StringComparison.Ordinal);

        id = await language.RunClientAsync(server, "submit", "fail", """{"message": "not today"}""");
        Assert.EndsWith("failure: not today", await language.RunClientAsync(server, "watch", id), StringComparison.Ordinal);
    }

    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Names))]
    public async Task A_client_cancels(string name)
    {
        Language language = await Language.RequireAsync(name);
        using PolyglotServer server = await PolyglotServer.StartAsync();
        string id = await language.RunClientAsync(server, "submit", "sleep", """{"seconds": 3600}""");
        await server.UntilAsync(id, static task => task.State == TaskState.Running);

        Assert.StartsWith("TASK_STATE_", await language.RunClientAsync(server, "cancel", id), StringComparison.Ordinal);
        Assert.Contains("TASK_STATE_CANCELLED", await language.RunClientAsync(server, "watch", id), StringComparison.Ordinal);
        Assert.StartsWith("cancelled from", (await server.EndOfAsync(id)).Cancellation.Reason, StringComparison.Ordinal);
    }

    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Names))]
    public async Task A_client_whose_watch_is_cut_goes_on_and_sees_the_end(string name)
    {
        Language language = await Language.RequireAsync(name);
        using PolyglotServer server = await PolyglotServer.StartAsync();
        await using var proxy = new TcpProxy(server.Address);
        string id = await language.RunClientAsync(server, "submit", "sleep", """{"seconds": 1000, "steps": 10000}""");

        // Line by line, as in a terminal.
        using Script watch = Script.Start(name, "stdbuf", ["-oL", .. language.Client, "watch", id], PolyglotServer.EnvironmentOf(proxy.Address), ("PYTHONUNBUFFERED", "1"));
        for (int cut = 0; cut < 2; cut++)
        {
            int step = StepOf((await server.UntilAsync(id, static task => task.Progress is not null)).Progress.Message);
            await watch.SaysAsync(line => StepOf(line) > step, $"a step after {step}");
            proxy.Cut();
        }

        // It ends while the client is away.
        proxy.Lead(null);
        await server.CancelAsync(id);
        Assert.Equal(TaskState.Cancelled, (await server.EndOfAsync(id)).State);
        proxy.Lead(server.Address);
        (int exitCode, string output) = await watch.EndAsync();
        Assert.True(exitCode == 0, output);
        Assert.Single(output.Split('\n'), static line => line.StartsWith("TASK_STATE_CANCELLED", StringComparison.Ordinal));
    }

    private static int StepOf(string text) => Step().Match(text) is { Success: true } step ? int.Parse(step.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : -1;

    [GeneratedRegex(@"step (\d+) of")]
    private static partial Regex Step();
}
