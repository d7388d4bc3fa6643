using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.Core.Handlers;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Tests.Services;

public sealed class ReadLogTests
{
    private const int TimeoutMs = 60_000;

    [Fact(Timeout = TimeoutMs)]
    public async Task Standard_error_is_the_log_byte_for_byte_but_for_progress()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.RunAsync(Shell("log", @"printf 'one\n::progress 0.5 half\n\377\000\303(' >&2; echo a result; printf '::progress soon\n' >&2"));
        using LogReader log = await LogReader.ReadToEndAsync(server, "log");
        Assert.Equal([.. "one\n"u8, 0xff, 0x00, 0xc3, (byte)'(', .. "::progress soon\n"u8], log.Data);
        Assert.Equal(0, log.TruncatedBefore);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task It_is_read_from_an_offset_and_beyond_its_end_nothing_is()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.RunAsync(Shell("log", "echo one two >&2"));
        Assert.Equal("two\n", (await LogReader.ReadToEndAsync(server, "log", offset: 4)).Text);
        Assert.Equal("", (await LogReader.ReadToEndAsync(server, "log", offset: 8)).Text);
        Assert.Equal("", (await LogReader.ReadToEndAsync(server, "log", offset: 1000)).Text);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_follower_sees_lines_while_the_command_runs_and_ends_with_it()
    {
        await using TestServer server = await TestServer.StartAsync();
        string gate = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await server.SubmitAsync(Shell("log", $"echo begun >&2; until [ -e {gate} ]; do sleep 0.01; done; echo ended >&2"));
        using var log = new LogReader(server, new ReadLogRequest { Id = "log", Follow = true });
        await log.UntilAsync("begun\n");
        Assert.Equal(TaskState.Running, (await server.GetAsync("log")).State);
        Assert.Equal("begun\n", (await LogReader.ReadToEndAsync(server, "log")).Text);
        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);
        await log.UntilEndAsync();
        File.Delete(gate);
        Assert.Equal("begun\nended\n", log.Text);
        Assert.Equal(TaskState.Succeeded, (await server.GetAsync("log")).State);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Of_ten_megabytes_the_last_are_kept()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Limits.LogBytesMax = 100_000);
        await server.SubmitAsync(Shell("log", "seq 1 1500000 >&2"));
        using var following = new LogReader(server, new ReadLogRequest { Id = "log", Follow = true });
        await following.UntilEndAsync();
        using LogReader after = await LogReader.ReadToEndAsync(server, "log");
        long written = Enumerable.Range(1, 7).Sum(static digits => (digits + 1L) * (digits == 7 ? 500_001 : 9 * (long)Math.Pow(10, digits - 1)));
        Assert.Equal((written, written), (following.Offset, after.Offset));
        Assert.Equal(written - after.Data.Length, after.TruncatedBefore);
        Assert.InRange(after.Data.Length, 100_000 - 4096 + 1, 100_000);
        Assert.EndsWith("\n1499999\n1500000\n", after.Text, StringComparison.Ordinal);
        Assert.EndsWith("\n1499999\n1500000\n", following.Text, StringComparison.Ordinal);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_handler_logs_text_and_retries_go_on_in_the_same_log()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitAsync(new TaskSpec { Id = "log", Kind = "gate", Delay = new() });
        using var log = new LogReader(server, new ReadLogRequest { Id = "log", Follow = true });
        (await server.Gate.NextStartAsync()).WriteLog("first ätt");
        await log.UntilAsync("first ätt");
        await server.CancelAsync("log", forceAfter: new());
        await log.UntilEndAsync();
        await server.Client.RetryAsync(new RetryRequest { Id = "log" }, TestServer.Call);
        (await server.Gate.NextStartAsync()).WriteLog("second");
        server.Gate.Open();
        using var rest = new LogReader(server, new ReadLogRequest { Id = "log", Offset = log.Offset, Follow = true });
        await rest.UntilEndAsync();
        Assert.Equal("second", rest.Text);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_task_between_two_attempts_is_followed_on()
    {
        await using TestServer server = await TestServer.StartAsync();
        var retry = new RetryPolicy { MaxAttempts = 2, InitialBackoff = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(200)) };
        await server.SubmitAsync(new TaskSpec(Shell("log", "echo $GRPCPOOL_ATTEMPT >&2; exit 75")) { Retry = retry });
        using var log = new LogReader(server, new ReadLogRequest { Id = "log", Follow = true });
        await log.UntilEndAsync();
        Assert.Equal("1\n2\n", log.Text);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Bad_fields_are_named_and_an_unknown_task_is_not_found()
    {
        await using TestServer server = await TestServer.StartAsync();
        using var bad = new LogReader(server, new ReadLogRequest { Id = "a b", Offset = -1 });
        RpcException refused = await bad.UntilRefusedAsync(StatusCode.InvalidArgument);
        Assert.Contains("id must", refused.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("offset must not be negative", refused.Status.Detail, StringComparison.Ordinal);
        foreach (bool follow in (bool[])[false, true])
        {
            using var unknown = new LogReader(server, new ReadLogRequest { Id = "unknown", Follow = follow });
            await unknown.UntilRefusedAsync(StatusCode.NotFound);
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Readers_count_among_the_watchers()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Limits.Watchers = 1);
        await server.SubmitAsync(new TaskSpec { Id = "log", Kind = "gate" });
        (await server.Gate.NextStartAsync()).WriteLog("text");
        using var first = new LogReader(server, new ReadLogRequest { Id = "log", Follow = true });
        await first.UntilAsync("text");
        using var second = new LogReader(server, new ReadLogRequest { Id = "log" });
        await second.UntilRefusedAsync(StatusCode.ResourceExhausted);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_drain_is_followed_to_the_last_bytes_and_then_ends_what_has_not_finished()
    {
        await using TestServer server = await TestServer.StartAsync(static options => options.Pool.DrainTimeout = TimeSpan.FromSeconds(30));
        await server.SubmitAsync(new TaskSpec { Id = "runs", Kind = "gate" });
        await server.SubmitAsync(new TaskSpec { Id = "waits", Kind = "echo", Delay = Duration.FromTimeSpan(TimeSpan.FromDays(1)) });
        TaskContext running = await server.Gate.NextStartAsync();
        running.WriteLog("begun, ");
        using var log = new LogReader(server, new ReadLogRequest { Id = "runs", Follow = true });
        using var waiting = new LogReader(server, new ReadLogRequest { Id = "waits", Follow = true });
        await log.UntilAsync("begun, ");
        Task<RpcException> refused = waiting.UntilRefusedAsync(StatusCode.Unavailable);
        Task stopped = server.StopAsync();
        running.WriteLog("ended");
        server.Gate.Open();
        await log.UntilEndAsync();
        Assert.Equal("begun, ended", log.Text);
        await refused;
        await stopped;
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_follower_that_has_stopped_reading_is_ended()
    {
        await using TestServer server = await TestServer.StartAsync(static options =>
        {
            options.Limits.WatchWriteTimeout = TimeSpan.FromSeconds(1);
            options.Limits.LogBytesMax = 1 << 26;
        });
        await server.SubmitAsync(new TaskSpec { Id = "log", Kind = "gate" });
        TaskContext running = await server.Gate.NextStartAsync();
        running.WriteLog(new byte[1 << 25]);
        using var stuck = new LogReader(server, new ReadLogRequest { Id = "log", Follow = true });
        Assert.True(await stuck.ReadAsync());
        LogEntry entry = await server.Log.WhenAsync(static entry => entry.Message.Contains("has not read", StringComparison.Ordinal));
        Assert.Equal(LogLevel.Information, entry.Level);
        await Assert.ThrowsAsync<RpcException>(stuck.UntilEndAsync);
        Assert.Equal(0, (await LogReader.ReadToEndAsync(server, "log", offset: (1 << 25) - 1)).Text[0]);
    }

    private static TaskSpec Shell(string id, string script) => new() { Id = id, Kind = "shell", Payload = ByteString.CopyFromUtf8(script) };
}
