using GrpcPool.Cli.Tests.Infrastructure;
using GrpcPool.Server.Tests.Polyglot;

namespace GrpcPool.Cli.Tests;

public sealed class CompletionTests(Pool pool)
{
    private const int Timeout = 120_000;

    [Theory(Timeout = Timeout)]
    [InlineData("grpcpool su", "submit")]
    [InlineData("grpcpool list --sta", "--state")]
    [InlineData("grpcpool list --state fai", "failed")]
    [InlineData("grpcpool submit echo --output js", "json")]
    public async Task Bash_completes_commands_options_and_values(string line, string completed)
    {
        Tools.Require("bash");
        using var session = new Session(pool);
        string script = $"""
            source <(grpcpool completion bash)
            COMP_LINE='{line}' COMP_POINT={line.Length}
            COMP_WORDS=($COMP_LINE) COMP_CWORD=$((${"{"}#COMP_WORDS[@]{"}"} - 1))
            _grpcpool && echo "${"{"}COMPREPLY[*]{"}"}" && complete -p grpcpool
            """;
        Ended ended = await Executable.EndAsync(session.StartLine(script));

        Assert.Equal(new Ended(0, $"{completed}\ncomplete -o default -F _grpcpool grpcpool\n", ""), ended);
    }

    [Theory(Timeout = Timeout)]
    [InlineData("grpcpool list --output ", "id json table")]
    [InlineData("grpcpool count --by ", "kind queue state")]
    public async Task Only_values_that_are_accepted_are_offered(string line, string offered)
    {
        Ended ended = await Executable.RunOnceAsync($"[suggest:{line.Length}]", line);

        Assert.Equal(offered.Split(' '), ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }

    [Theory(Timeout = Timeout)]
    [InlineData("zsh", "grpcpool completion zsh > _grpcpool && zsh -n _grpcpool")]
    [InlineData("fish", "grpcpool completion fish > grpcpool.fish && fish -c 'source grpcpool.fish; complete -C \"grpcpool su\"' | grep -qx submit")]
    public async Task Other_shells_take_their_scripts(string shell, string line)
    {
        Tools.Require(shell, "bash");
        using var session = new Session(pool);

        Assert.Equal(new Ended(0, "", ""), await Executable.EndAsync(session.StartLine(line)));
    }
}
