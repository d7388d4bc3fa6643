using System.Diagnostics;
using System.Runtime.InteropServices;

namespace GrpcPool.Cli.Tests;

public sealed class DemoTests
{
    private const int Timeout = 120_000;
    private const int Terminate = 15;

    [Fact(Timeout = Timeout)]
    public async Task Redirected_it_prints_plain_lines_and_leaves_nothing()
    {
        using var executable = new Executable();
        Ended demo = await executable.RunAsync("demo");

        Assert.Equal("", demo.Errors);
        Assert.Equal(0, demo.Code);
        Assert.DoesNotContain('\e', demo.Output);
        Assert.Matches(@"mail     flaky-server:1 +SUCCEEDED  after 3 attempts\n", demo.Output);
        Assert.Matches(@"reports sleep +report:tomorrow +CANCELLED +0 +- the demo changed its mind\n", demo.Output);
        Assert.Matches(@"All \d+ tasks ended as they should, in \d+\.\d s\.\n$", demo.Output);
        Assert.Empty(Directory.EnumerateFileSystemEntries(executable.TemporaryFolder));
    }

    [Fact(Timeout = Timeout)]
    public async Task Built_in_kinds_take_the_place_of_missing_commands()
    {
        using var executable = new Executable();
        Ended demo = await Executable.EndAsync(executable.Start(["demo"], ("PATH", executable.WorkingFolder)));

        Assert.Equal("", demo.Errors);
        Assert.Equal(0, demo.Code);
        Assert.Contains("Not on this machine: sha256sum, gzip, sh, wc, sleep.", demo.Output, StringComparison.Ordinal);
        Assert.Contains(" tasks ended as they should", demo.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = Timeout)]
    public async Task Interrupted_it_drains_and_leaves_nothing()
    {
        using var executable = new Executable();
        Process process = executable.Start(["demo"]);
        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line && !line.Contains("RUNNING", StringComparison.Ordinal))
        {
        }

        Assert.Equal(0, Kill(process.Id, Terminate));
        Ended demo = await Executable.EndAsync(process);

        Assert.Equal("grpcpool: Interrupted. The server is drained, its folder removed.\n", demo.Errors);
        Assert.Equal(1, demo.Code);
        Assert.Empty(Directory.EnumerateFileSystemEntries(executable.TemporaryFolder));
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
