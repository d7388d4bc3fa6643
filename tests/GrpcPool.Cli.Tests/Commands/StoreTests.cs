using System.Diagnostics;
using System.Text.RegularExpressions;

namespace GrpcPool.Cli.Tests.Commands;

/// <summary>Backup, check and restore, by processes of their own, each test with a database of its own.</summary>
public sealed partial class StoreTests : IDisposable
{
    private const int Timeout = 120_000;

    private readonly Executable _executable = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _executable.Dispose();

    [Fact(Timeout = Timeout)]
    public async Task A_backup_of_a_running_server_is_restored_and_served()
    {
        (Process server, string address) = await ServeAsync();
        Assert.Equal(0, (await _executable.RunAsync("run", "echo", "hello", "--id", "order-7", "--address", address)).Code);
        Ended made = await _executable.RunAsync("backup", "monday.db", "--address", address);
        Ended again = await _executable.RunAsync("backup", "monday.db", "--address", address);
        Ended served = await _executable.RunAsync("check");
        server.Kill();
        await server.WaitForExitAsync(Stop);
        Ended refused = await _executable.RunAsync("restore", "monday.db");
        Ended restored = await _executable.RunAsync("restore", "monday.db", "--set", "Storage:Path=new/pool.db");
        (Process next, string nextAddress) = await ServeAsync("--set", "Storage:Path=new/pool.db");
        Ended status = await _executable.RunAsync("status", "order-7", "--address", nextAddress);
        next.Kill();
        await next.WaitForExitAsync(Stop);

        Assert.Equal((0, ""), (made.Code, made.Errors));
        Assert.Equal((1, ""), (again.Code, again.Output));
        Assert.Contains("exists, and is not replaced", again.Errors, StringComparison.Ordinal);
        Assert.Equal(new Ended(0, "No damage in 1 task.\n", ""), served);
        Assert.Equal(1, refused.Code);
        Assert.Equal(0, restored.Code);
        Assert.Contains("SUCCEEDED", status.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = Timeout)]
    public async Task What_no_server_holds_is_backed_up_from_its_file()
    {
        (Process server, string address) = await ServeAsync();
        Assert.Equal(0, (await _executable.RunAsync("run", "echo", "hello", "--address", address)).Code);
        server.Kill();
        await server.WaitForExitAsync(Stop);
        Ended made = await _executable.RunAsync("backup", "monday.db", "--address", address);
        Ended whole = await _executable.RunAsync("check", "monday.db");

        Assert.Equal((0, ""), (made.Code, made.Errors));
        Assert.Equal(new Ended(0, "No damage in 1 task.\n", ""), whole);
    }

    [Fact(Timeout = Timeout)]
    public async Task A_damaged_database_is_not_served_and_stays_as_it_is()
    {
        (Process server, string address) = await ServeAsync();
        Assert.Equal(0, (await _executable.RunAsync("run", "echo", "hello", "--address", address)).Code);
        server.Kill();
        await server.WaitForExitAsync(Stop);
        string log = Path.Combine(_executable.WorkingFolder, "data/grpcpool.db-wal");
        byte[] bytes = await File.ReadAllBytesAsync(log, Stop);
        bytes[^100] ^= 1;
        await File.WriteAllBytesAsync(log, bytes, Stop);
        Ended serve = await _executable.RunAsync([.. Serve]);
        Ended check = await _executable.RunAsync("check");

        Assert.Equal(1, serve.Code);
        Assert.Contains("grpcpool restore", serve.Errors, StringComparison.Ordinal);
        Assert.Equal(1, check.Code);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(log, Stop));
    }

    [Theory(Timeout = Timeout)]
    [InlineData("backup", "monday.db", "--address", "http://127.0.0.1:1")]
    [InlineData("check")]
    [InlineData("check", "nothing.db")]
    [InlineData("restore", "nothing.db")]
    public async Task What_is_not_there_is_told_in_one_line(params string[] arguments)
    {
        Ended ended = await _executable.RunAsync(arguments);
        Assert.Equal((1, "", 1), (ended.Code, ended.Output, ended.Errors.Count('\n')));
    }

    private static string[] Serve =>
        ["serve", .. ((string[])["Listen:Grpc=http://127.0.0.1:0", "Listen:Http=", "Listen:Ops=", "Pool:DrainTimeout=00:00:00"]).SelectMany(static setting => (string[])["--set", setting])];

    private async Task<(Process Server, string Address)> ServeAsync(params string[] more)
    {
        Process server = _executable.Start([.. Serve, .. more]);
        while (await server.StandardOutput.ReadLineAsync(Stop) is { } line)
        {
            if (Listening().Match(line) is { Success: true } match)
                return (server, match.Groups[1].Value);
        }

        throw new InvalidOperationException(await server.StandardError.ReadToEndAsync(Stop));
    }

    [GeneratedRegex(@"gRPC on (http://[^\s,]+)")]
    private static partial Regex Listening();
}
