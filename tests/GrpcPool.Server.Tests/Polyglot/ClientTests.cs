using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Polyglot;

/// <summary>The client of each language, with the kinds that the server has itself.</summary>
public sealed class ClientTests
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
}
