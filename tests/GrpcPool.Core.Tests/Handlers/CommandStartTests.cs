using GrpcPool.Core.Handlers;

namespace GrpcPool.Core.Tests.Handlers;

public sealed class CommandStartTests
{
    [Fact(Timeout = 30000)]
    public async Task Environment_is_exactly_what_is_declared()
    {
        TaskOutcome outcome = await Commands.Of(options => options.Environment["COLOUR"] = "light blue", "/usr/bin/env").RunAsync();
        string[] lines = outcome.Text().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Single(lines, line => line.StartsWith("GRPCPOOL_ATTEMPT_TOKEN=", StringComparison.Ordinal));
        Assert.Equal(
            [
                "COLOUR=light blue",
                "GRPCPOOL_ATTEMPT=1",
                "GRPCPOOL_KIND=kind-1",
                "GRPCPOOL_LABEL_TEAM_NAME=blue & green",
                "GRPCPOOL_QUEUE=queue-1",
                "GRPCPOOL_TASK_ID=task-1",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ],
            lines.Where(line => !line.StartsWith("GRPCPOOL_ATTEMPT_TOKEN=", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Theory(Timeout = 30000)]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=1", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 a=1")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 none")]
    [InlineData("no trace at all", "a=1", "declared declared")]
    public async Task A_trace_of_the_task_is_handed_over_in_the_environment(string parent, string state, string expected)
    {
        using var context = new FakeTaskContext { OwnHeaders = new() { ["traceparent"] = parent, ["tracestate"] = state } };
        TaskOutcome outcome = await Commands.Of(
            options => (options.Environment["TRACEPARENT"], options.Environment["TRACESTATE"]) = ("declared", "declared"),
            "/bin/sh", "-c", "printf '%s %s' \"$TRACEPARENT\" \"${TRACESTATE-none}\"").RunAsync(context);
        Assert.Equal(expected, outcome.Text());
    }

    [Fact(Timeout = 30000)]
    public async Task Path_may_be_declared()
    {
        TaskOutcome outcome = await Commands.Of(options => options.Environment["PATH"] = "/mine", "/usr/bin/env").RunAsync();
        Assert.Contains("PATH=/mine\n", outcome.Text(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 30000)]
    public async Task Arguments_are_not_interpreted()
    {
        string[] arguments = ["two words", "*", "$HOME", "`id`", "\"'", "", "; exit 3", "ü"];
        TaskOutcome outcome = await Commands.Of("/usr/bin/printf", ["%s\n", .. arguments]).RunAsync();
        Assert.Equal(string.Join('\n', arguments) + "\n", outcome.Text());
    }

    [Theory(Timeout = 30000)]
    [InlineData(null, "/\n")]
    [InlineData("/usr", "/usr\n")]
    public async Task Working_directory_is_the_declared_one_or_the_root(string? declared, string actual)
    {
        TaskOutcome outcome = await Commands.Of(options => options.WorkingDirectory = declared, "/bin/pwd").RunAsync();
        Assert.Equal(actual, outcome.Text());
    }

    [Fact(Timeout = 30000)]
    public async Task Child_leads_a_session_of_its_own()
    {
        TaskOutcome outcome = await Commands.Python("import os; print(os.getsid(0) == os.getpid() == os.getpgid(0))").RunAsync();
        Assert.Equal("True\n", outcome.Text());
    }

    [Fact(Timeout = 30000)]
    public async Task Child_blocks_and_ignores_no_signal()
    {
        const ulong StandardSignals = 0x7FFF_FFFF;
        TaskOutcome outcome = await Commands.Of("/bin/grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status").RunAsync();
        string[] lines = outcome.Text().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.All(lines, line => Assert.Equal(0UL, Convert.ToUInt64(line.Split('\t')[1], 16) & StandardSignals));
    }

    [Fact(Timeout = 30000)]
    public async Task Child_gets_no_file_that_the_server_has_open()
    {
        using FileStream secret = File.OpenRead("/etc/passwd");
        TaskOutcome outcome = await Commands.Of("/bin/ls", "-l", "/proc/self/fd").RunAsync();
        Assert.Contains("pipe:", outcome.Text(), StringComparison.Ordinal);
        Assert.DoesNotContain(secret.Name, outcome.Text(), StringComparison.Ordinal);
    }
}
