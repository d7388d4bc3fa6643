namespace GrpcPool.Server.Tests.Polyglot;

/// <summary>What a client must be able to rely on, in the languages that have these scenarios.</summary>
public sealed class ScenarioTests
{
    [Theory(Timeout = 300_000)]
    [InlineData("python", "./scenarios.py")]
    [InlineData("node", "./scenarios.mjs")]
    public async Task A_client_passes_all_scenarios(string name, string scenarios)
    {
        await Language.RequireAsync(name);
        using PolyglotServer server = await PolyglotServer.StartAsync();
        (int exitCode, string output) = await Script.RunAsync(name, scenarios, [], server.Environment);
        Assert.True(exitCode == 0, output);
        Assert.Equal(10, output.Split('\n').Count(static line => line.StartsWith("ok ", StringComparison.Ordinal)));
    }
}
