using GrpcPool.Server.Tests.Polyglot;

namespace GrpcPool.Cli.Tests.Infrastructure;

/// <summary>A real terminal: tmux, with a server of its own.</summary>
/// <param name="session">Where it works.</param>
/// <param name="width">How many columns it has.</param>
internal sealed class Terminal(Session session, int width = 100)
{
    private const string Socket = "terminal";

    /// <summary>Presses Ctrl-C.</summary>
    public const string Interrupt = $"tmux -L {Socket} send-keys C-c";

    /// <summary>Lines of a shell that do something as soon as a text is on the screen.</summary>
    public static string WhenShown(string text, string line) => $"until tmux -L {Socket} capture-pane -p | grep -q {text}; do :; done; {line}";

    /// <summary>Types a line, and waits for its end.</summary>
    /// <param name="line">The line of a shell.</param>
    /// <returns>What is on the screen then, with the exit code in its last line, and all that was drawn before.</returns>
    public async Task<(string Screen, string Drawn)> RunAsync(string line)
    {
        Tools.Require("tmux", "bash");
        string drawn = Path.Combine(session.WorkingFolder, "drawn");
        await session.WriteFileAsync("line", $"tmux -L {Socket} wait-for go\n{line}\necho \"exit code $?\"\ntmux -L {Socket} wait-for -S done\nexec cat\n");
        try
        {
            await TmuxAsync("-f", "/dev/null", "-u", "new-session", "-d", "-x", $"{width}", "-y", "20", "bash line");
            await TmuxAsync("pipe-pane", $"exec cat > {drawn}");
            await TmuxAsync("wait-for", "-S", "go");
            await TmuxAsync("wait-for", "done");
            string screen = await TmuxAsync("capture-pane", "-p");
            return (screen, await File.ReadAllTextAsync(drawn, TestContext.Current.CancellationToken));
        }
        finally
        {
            await TmuxAsync("kill-server");
        }
    }

    private async Task<string> TmuxAsync(params string[] arguments)
    {
        Ended ended = await Executable.EndAsync(session.StartProgram("env", ["-u", "TMUX", "-u", "NO_COLOR", $"TMUX_TMPDIR={session.TemporaryFolder}", "LC_ALL=C.UTF-8", "tmux", "-L", Socket, .. arguments]), leaveChildren: true);
        Assert.Equal((0, ""), (ended.Code, ended.Errors));
        return ended.Output;
    }
}
