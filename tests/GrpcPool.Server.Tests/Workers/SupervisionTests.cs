using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.Core.Handlers.Processes;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.Server.Tests.Polyglot;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Workers;

/// <summary>Workers that the server itself starts: real programs under the real server.</summary>
[SupportedOSPlatform("linux")]
public sealed partial class SupervisionTests
{
    private const int TimeoutMs = 120_000;

    [Fact(Timeout = TimeoutMs)]
    public async Task A_worker_that_is_killed_is_started_again_and_its_task_runs_to_its_end()
    {
        await using TestServer server = await StartAsync(await PythonAsync());
        await server.SubmitAsync(Counting("t", steps: 10));
        TaskInfo first = await server.UntilAsync("t", static task => task.Progress is not null);

        await SignalAsync("KILL", ProcessIdOf(await server.Log.WhenAsync(static entry => IsStart(entry))));

        TaskInfo ended = await server.EndOfAsync("t");
        Assert.Equal((TaskState.Succeeded, 1), (ended.State, ended.Losses));
        Assert.Matches("^py-[0-9a-f]{8}$", first.Worker);
        Assert.NotEqual(first.Worker, ended.Worker);
        Assert.Contains(server.Log.Entries, entry => entry.Message.Contains($"{first.Worker} has failed (ended by signal 9)", StringComparison.Ordinal));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_worker_that_hangs_is_replaced()
    {
        WorkerProcessOptions program = await PythonAsync();
        (program.ConnectTimeout, program.KillAfter) = (TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(100));
        await using TestServer server = await StartAsync(program, static options =>
            (options.Workers.LeaseDuration, options.Workers.HeartbeatInterval) = (TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(250)));
        await server.SubmitAsync(Counting("t", steps: 5));
        TaskInfo first = await server.UntilAsync("t", static task => task.Progress is not null);
        program.ConnectTimeout = TimeSpan.FromSeconds(1); // Short only after the start, which takes its time on a busy machine.

        await SignalAsync("STOP", ProcessIdOf(await server.Log.WhenAsync(static entry => IsStart(entry))));
        await server.Log.WhenAsync(entry => entry.Message.Contains($"{first.Worker} has failed (ended by signal 9)", StringComparison.Ordinal));
        program.ConnectTimeout = TimeSpan.FromSeconds(30);

        TaskInfo ended = await server.EndOfAsync("t");
        Assert.Equal(TaskState.Succeeded, ended.State);
        Assert.True(ended.Losses > 0);
        Assert.NotEqual(first.Worker, ended.Worker);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_worker_that_has_done_its_tasks_makes_way_for_another_without_a_loss()
    {
        WorkerProcessOptions program = await PythonAsync();
        program.MaxTasks = 5;
        await using TestServer server = await StartAsync(program);

        string[] ids = await server.SubmitManyAsync(30, new TaskSpec { Kind = "python.reverse", Payload = ByteString.CopyFromUtf8("abc") });
        TaskInfo[] ended = await Task.WhenAll(ids.Select(id => server.EndOfAsync(id)));

        Assert.All(ended, static task => Assert.Equal((TaskState.Succeeded, 0, "cba"), (task.State, task.Losses, task.Result.ToStringUtf8())));
        await server.Log.WhenAsync(static entry => entry.Message.Contains("retires: it has done its tasks", StringComparison.Ordinal));
        await server.Log.WhenAsync(static entry => entry.Message.Contains("has retired (exit code 0)", StringComparison.Ordinal));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Workers_come_with_the_work_and_go_when_there_is_none()
    {
        WorkerProcessOptions program = await PythonAsync();
        (program.Minimum, program.Maximum, program.IdleTimeout) = (0, 2, TimeSpan.FromMilliseconds(200));
        await using TestServer server = await StartAsync(program);
        string idle = NameOf(await server.Log.WhenAsync(static entry => entry.Message.Contains("it has nothing to do", StringComparison.Ordinal)));
        await server.Log.WhenAsync(entry => entry.Message.Contains($"{idle} has retired", StringComparison.Ordinal));

        for (int i = 0; i < 8; i++)
            await server.SubmitAsync(Counting($"t{i}", steps: 15)); // A worker has four slots.
        TaskInfo[] ended = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => server.EndOfAsync($"t{i}")));

        Assert.All(ended, static task => Assert.Equal((TaskState.Succeeded, 0), (task.State, task.Losses)));
        string[] workers = [.. ended.Select(static task => task.Worker).Distinct()];
        Assert.Equal(2, workers.Length);
        Assert.DoesNotContain(idle, workers);
        foreach (string worker in workers)
            await server.Log.WhenAsync(entry => entry.Message.Contains($"{worker} has retired (exit code 0)", StringComparison.Ordinal));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_program_that_crashes_at_once_is_started_after_ever_longer_pauses()
    {
        await using TestServer server = await StartAsync(new WorkerProcessOptions
        {
            Command = "/bin/false",
            InitialBackoff = TimeSpan.FromMilliseconds(50),
            Minimum = 1,
            Maximum = 10,
        });

        await server.Log.WhenAsync(static entry => entry.Message.Contains("(exit code 1): the next starts in 00:00:00.8", StringComparison.Ordinal));

        Assert.Equal(5, server.Log.Entries.Count(static entry => IsStart(entry)));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_a_program_writes_is_in_the_log_at_a_bounded_rate()
    {
        await using TestServer server = await StartAsync(Shell("echo hello; echo trouble >&2; exec yes"));
        await server.Log.WhenAsync(static entry => entry.Message.EndsWith(": hello", StringComparison.Ordinal));
        await server.Log.WhenAsync(static entry => entry.Message.EndsWith(": trouble", StringComparison.Ordinal));
        await server.Log.WhenAsync(static entry => entry.Message.Contains("came too fast and were left out", StringComparison.Ordinal));
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(false, @"^GRPCPOOL_ADDRESS=http://127\.0\.0\.1:\d+$")]
    [InlineData(true, @"^GRPCPOOL_ADDRESS=unix:/.*/pool\.sock$")]
    public async Task A_program_finds_the_server_by_its_environment_and_has_nothing_else_of_the_servers(bool socketAlone, string address)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("grpcpool-supervised-");
        try
        {
            string[] listen = socketAlone ? ["Listen:Grpc=", $"Listen:Socket={folder.FullName}/pool.sock"] : [];
            string[] program = ["Workers:Processes:show:Command=/usr/bin/env", "Workers:Processes:show:Environment:LANG=C"];
            string[] settings = ["Listen:Http=", "Listen:Ops=", "Storage:Type=memory", .. listen, .. program];
            using ServerProcess server = ServerProcess.Start(settings, new Dictionary<string, string>(), TestContext.Current.CancellationToken);
            await server.UntilAsync("the next starts in");
            await server.SignalAsync("TERM");
            (int code, string output, _) = await server.EndAsync();

            string[] variables = [.. Said().Matches(output).Select(static match => match.Groups[1].Value)];
            Assert.Equal(0, code);
            Assert.Contains(variables, variable => Regex.IsMatch(variable, address));
            string[] names = [.. variables.Select(static variable => variable.Split('=')[0]).Distinct().Order(StringComparer.Ordinal)];
            Assert.Equal(["GRPCPOOL_ADDRESS", "GRPCPOOL_ATTEMPT_TOKEN", "GRPCPOOL_SERVER", "GRPCPOOL_WORKER_NAME", "LANG", "PATH"], names);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_server_that_ends_leaves_none_behind_that_ignores_it_or_has_forked_away()
    {
        string mark = CommandEnvironment.NewToken();
        string stubborn = $"trap '' TERM; echo up; while :; do sleep 1; done # {mark}";
        string away = $"(setsid sh -c \"$AWAY\" &) & {stubborn}";
        using ServerProcess server = await ServerProcess.ServeAsync(
            "Pool:DrainTimeout=00:00:10", "Workers:Processes:w:Command=/bin/sh", "Workers:Processes:w:Arguments:0=-c", $"Workers:Processes:w:Arguments:1={away}",
            $"Workers:Processes:w:Environment:AWAY={stubborn}", "Workers:Processes:w:Minimum=2");
        await server.UntilAsync(": up", times: 4);
        Assert.True(Alive(mark) >= 4);

        long start = TimeProvider.System.GetTimestamp();
        await server.SignalAsync("TERM");
        (int code, string output, string errors) = await server.EndAsync();

        Assert.True(code == 0, $"exit code {code}: {output} {errors}");
        Assert.InRange(TimeProvider.System.GetElapsedTime(start), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4)); // Nothing to drain; TERM, a second, KILL.
        Assert.Equal(0, Alive(mark));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_a_server_that_was_killed_has_left_behind_ends_when_the_next_one_starts()
    {
        string mark = CommandEnvironment.NewToken();
        string stubborn = $"trap '' TERM; echo up; while :; do sleep 1; done # {mark}";
        string[] program = ["Workers:Processes:w:Command=/bin/sh", "Workers:Processes:w:Arguments:0=-c", $"Workers:Processes:w:Arguments:1={stubborn}"];
        using ServerProcess killed = await ServerProcess.ServeAsync(program);
        await killed.UntilAsync(": up");
        killed.Kill();
        Assert.True(Alive(mark) >= 1);

        using ServerProcess next = await ServerProcess.ServeAsync("Workers:Processes:w:Command=/bin/sleep", "Workers:Processes:w:Arguments:0=600");
        await next.UntilAsync("of a server that was killed are ended");
        await next.SignalAsync("TERM");

        Assert.Equal(0, (await next.EndAsync()).Code);
        Assert.Equal(0, Alive(mark));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_server_that_ends_lets_its_workers_finish_within_the_drain()
    {
        WorkerProcessOptions program = await PythonAsync();
        await using TestServer server = await StartAsync(program, static options => options.Pool.DrainTimeout = TimeSpan.FromSeconds(30));
        await server.SubmitAsync(Counting("t", steps: 10));
        await server.UntilAsync("t", static task => task.Progress is not null);
        Task<TaskInfo> end = server.EndOfAsync("t");

        await server.StopAsync();

        Assert.Equal((TaskState.Succeeded, 0), ((await end).State, (await end).Losses));
    }

    private static Task<TestServer> StartAsync(WorkerProcessOptions program, Action<GrpcPoolOptions>? configure = null) => TestServer.StartAsync(options =>
    {
        options.UndeclaredKinds = UndeclaredKinds.Queue;
        options.Workers.ResumeGrace = TimeSpan.FromMilliseconds(200);
        options.Workers.Processes["py"] = program;
        configure?.Invoke(options);
    });

    private static async Task<WorkerProcessOptions> PythonAsync()
    {
        await Language.RequireAsync("python");
        return new WorkerProcessOptions
        {
            Command = Language.Python,
            Arguments = { Path.Combine(Script.FolderOf("python"), "worker.py") },
            InitialBackoff = TimeSpan.FromMilliseconds(50),
        };
    }

    private static WorkerProcessOptions Shell(string script) => new() { Command = "/bin/sh", Arguments = { "-c", script } };

    private static TaskSpec Counting(string id, int steps) => new()
    {
        Id = id,
        Kind = "python.count",
        Payload = ByteString.CopyFromUtf8(steps.ToString(CultureInfo.InvariantCulture)),
        Retry = new RetryPolicy { InitialBackoff = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(50)) },
    };

    private static bool IsStart(LogEntry entry) => Started().IsMatch(entry.Message);

    private static string NameOf(LogEntry entry) => entry.Message.Split(' ')[2];

    private static int ProcessIdOf(LogEntry entry) => int.Parse(Started().Match(entry.Message).Groups[1].ValueSpan, CultureInfo.InvariantCulture);

    private static async Task SignalAsync(string signal, int process)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>How many living processes have a mark among their arguments.</summary>
    private static int Alive(string mark) => Process.GetProcesses().Count(process => CommandLineOf(process.Id).Contains(mark, StringComparison.Ordinal));

    private static string CommandLineOf(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }

    [GeneratedRegex(@"has started \(process (\d+)\)")]
    private static partial Regex Started();

    [GeneratedRegex(@"show-[0-9a-f]{8}: (\w+=.*?)$", RegexOptions.Multiline)]
    private static partial Regex Said();
}
