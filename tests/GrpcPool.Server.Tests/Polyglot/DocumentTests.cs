using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Polyglot;

/// <summary>What <c>docs/clients.md</c> shows runs.</summary>
public sealed class DocumentTests
{
    private const int TimeoutMs = 600_000;

    public static TheoryData<string> Names => [.. Language.Names];

    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Names))]
    public async Task The_program_that_submits_follows_its_task_to_the_end(string name)
    {
        Language language = await Language.RequireAsync(name);
        using PolyglotServer server = await PolyglotServer.StartAsync();
        using Script program = await DocumentedProgram.StartAsync(language, works: false, server);
        (int exitCode, string output) = await program.EndAsync();
        Assert.True(exitCode == 0, output);
        Assert.StartsWith("TASK_STATE_SUCCEEDED 1", output.TrimEnd().Split('\n')[^1], StringComparison.Ordinal);
        Assert.DoesNotContain("UNSPECIFIED", output, StringComparison.Ordinal);
    }

    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Names))]
    public async Task The_program_that_works_executes_a_task(string name)
    {
        Language language = await Language.RequireAsync(name);
        using PolyglotServer server = await PolyglotServer.StartAsync("UndeclaredKinds=Queue");
        using Script program = await DocumentedProgram.StartAsync(language, works: true, server);
        TaskInfo task = await server.SubmitAsync("shout", "hey");
        TaskInfo ended = await program.WhileItRunsAsync(server.EndOfAsync(task.Id));
        Assert.Equal((TaskState.Succeeded, "HEY"), (ended.State, ended.Result.ToStringUtf8()));
        Assert.Equal("taking a breath", ended.Progress.Message);
    }
}
