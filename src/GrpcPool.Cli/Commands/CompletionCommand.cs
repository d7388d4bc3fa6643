using System.CommandLine;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool completion</c></summary>
internal static class CompletionCommand
{
    private const string Description = """
        Print a script with which a shell completes grpcpool's commands and options.
        Keep it where that shell looks for such scripts; zsh looks in the folders of its fpath.
        """;

    private const string Examples = """
        grpcpool completion bash > ~/.local/share/bash-completion/completions/grpcpool
        grpcpool completion zsh > ~/.zfunc/_grpcpool
        grpcpool completion fish > ~/.config/fish/completions/grpcpool.fish
        """;

    // The scripts ask the executable itself, by the directive "suggest" of its command line.
    private const string Bash = """
        _grpcpool() {
            local line="${COMP_LINE:0:COMP_POINT}" IFS=$'\n'
            line="${line#* }"
            COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:${#line}]" "$line" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _grpcpool grpcpool
        """;

    private const string Zsh = """
        #compdef grpcpool
        _grpcpool() {
            local line="${(j: :)words[2,CURRENT]}"
            local -a found=("${(@f)$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)}")
            compadd -a found || _files
        }
        if [ "$funcstack[1]" = _grpcpool ]; then _grpcpool; else compdef _grpcpool grpcpool; fi
        """;

    private const string Fish = """
        function __grpcpool_suggest
            set -l line (string replace -r '^\s*\S+\s' '' -- (commandline -cp))
            grpcpool "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c grpcpool -a '(__grpcpool_suggest)'
        """;

    private static readonly Dictionary<string, string> Scripts = new() { ["bash"] = Bash, ["zsh"] = Zsh, ["fish"] = Fish };

    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        var command = new ExemplifiedCommand("completion", CommandGroups.Shell, Description, Examples) { shell };
        command.SetAction(result => Console.Out.WriteLine(Scripts[result.GetValue(shell)!]));
        return command;
    }
}
