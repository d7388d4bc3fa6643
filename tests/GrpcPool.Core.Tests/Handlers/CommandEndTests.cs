using System.Diagnostics;
using System.Globalization;
using GrpcPool.Core.Handlers;

namespace GrpcPool.Core.Tests.Handlers;

/// <summary>However an attempt ends, nothing that it started may be left.</summary>
public sealed class CommandEndTests
{
    private const string PythonDoubleFork =
        """
        import os, sys, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(1000)
            os._exit(0)
        os.wait()
        time.sleep(1000)
        """;

    // The mark is each process's last argument, so all of them can be counted.
    public static TheoryData<string, string, int> Shapes => new()
    {
        { "plain", "exec sh -c 'sleep 1000; :' $MARK", 1 },
        { "tree", "sh -c 'sh -c \"sleep 1000; :\" '$MARK'; :' $MARK & sh -c 'sleep 1000; :' $MARK; :", 4 },
        { "setsid child", "setsid sh -c 'sleep 1000; :' $MARK; :", 2 },
        { "double fork", "exec python3 -c \"$DOUBLE_FORK\" $MARK", 2 },
        { "ignores TERM", "trap '' TERM; while :; do sleep 1000; done", 1 },
        { "group of its own", "exec python3 -c 'import os,time; os.fork() or os.setpgid(0, 0); time.sleep(1000)' $MARK", 2 },
    };

    [Theory(Timeout = 30000)]
    [MemberData(nameof(Shapes))]
    public async Task Killing_a_command_ends_all_it_started(string shape, string script, int processes)
    {
        _ = shape;
        string mark = ProcessWatch.NewMark();
        using var context = new FakeTaskContext();
        Task<TaskOutcome> running = Marked(mark, script).RunAsync(context);
        await ProcessWatch.UntilAliveAsync(mark, processes);
        context.Stop();
        context.Kill();
        Assert.NotNull((await running).Failure);
        Assert.Equal(0, ProcessWatch.Alive(mark));
        await ProcessWatch.UntilNoZombiesAsync();
    }

    [Theory(Timeout = 30000)]
    [InlineData("sleep 1000 & setsid sh -c 'sleep 1000; :' $MARK & wait")]
    [InlineData("exec python3 -c 'import os,time; os.fork() or os.setpgid(0, 0); time.sleep(1000)' $MARK")]
    public async Task Stopping_a_command_asks_all_it_started(string script)
    {
        string mark = ProcessWatch.NewMark();
        using var context = new FakeTaskContext();
        Task<TaskOutcome> running = Marked(mark, script).RunAsync(context);
        await ProcessWatch.UntilAliveAsync(mark, 2);
        context.Stop();
        Assert.Equal("ended by signal 15", (await running).Failure?.Message);
        Assert.Equal(0, ProcessWatch.Alive(mark));
    }

    [Fact(Timeout = 30000)]
    public async Task Stopped_command_may_still_succeed()
    {
        using var context = new FakeTaskContext();
        Task<TaskOutcome> running = Commands.Shell("trap 'echo saved; exit 0' TERM; echo '::progress 0' >&2; while :; do sleep 0.01; done").RunAsync(context);
        await context.Reported;
        context.Stop();
        Assert.Equal("saved\n", (await running).Text());
    }

    [Fact(Timeout = 30000)]
    public async Task Command_that_ignores_the_request_ends_when_killed()
    {
        using var context = new FakeTaskContext();
        Task<TaskOutcome> running = Commands.Shell("trap '' TERM; echo '::progress 0' >&2; while :; do sleep 0.01; done").RunAsync(context);
        await context.Reported;
        context.Stop();
        context.Kill();
        Assert.Equal("ended by signal 9", (await running).Failure?.Message);
    }

    [Theory(Timeout = 30000)]
    [InlineData("sh -c 'sleep 1000; :' $MARK & echo early")]
    [InlineData("setsid sh -c 'sleep 1000; :' $MARK & echo early")]
    [InlineData("(setsid -f sh -c 'trap \"\" TERM HUP; sleep 1000; :' $MARK); echo early")]
    [InlineData("python3 -c 'import os,time; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); time.sleep(1000)' $MARK; echo early")]
    public async Task Command_that_exits_early_leaves_nothing_behind(string script)
    {
        string mark = ProcessWatch.NewMark();
        Assert.Equal("early\n", (await Marked(mark, script).RunAsync()).Text());
        Assert.Equal(0, ProcessWatch.Alive(mark));
        await ProcessWatch.UntilNoZombiesAsync();
    }

    [Fact(Timeout = 30000)]
    public async Task Output_without_end_takes_its_tree_with_it()
    {
        string mark = ProcessWatch.NewMark();
        Assert.NotNull((await Marked(mark, "sh -c 'yes; :' $MARK & setsid sh -c 'yes; :' $MARK & wait").RunAsync()).Failure);
        Assert.Equal(0, ProcessWatch.Alive(mark));
    }

    [Fact(Timeout = 30000)]
    public async Task Pipe_that_an_escaped_process_holds_is_given_up()
    {
        string mark = ProcessWatch.NewMark();
        string script = "env -i setsid -f /usr/bin/python3 -c 'import os,time; print(os.getpid(), flush=True); os.close(1); time.sleep(1000)' $MARK | head -n 1; echo early";
        string[] lines = (await Marked(mark, script).RunAsync()).Text().Split('\n');
        using var escaped = Process.GetProcessById(int.Parse(lines[0], CultureInfo.InvariantCulture));
        int alive = ProcessWatch.Alive(mark);
        escaped.Kill();
        Assert.Equal(("early", 1), (lines[1], alive));
        await ProcessWatch.UntilAliveAsync(mark, 0);
        await ProcessWatch.UntilNoZombiesAsync();
    }

    [Fact(Timeout = 30000)]
    public async Task Context_that_throws_ends_the_command()
    {
        using var context = new FakeTaskContext { OnReport = () => throw new InvalidOperationException("no report") };
        CommandHandler handler = Commands.Shell("echo '::progress 0' >&2; yes >&2");
        await Assert.ThrowsAsync<InvalidOperationException>(() => handler.RunAsync(context));
    }

    [Fact(Timeout = 30000)]
    public async Task Killing_one_attempt_leaves_the_others_alone()
    {
        (string mark, string otherMark) = (ProcessWatch.NewMark(), ProcessWatch.NewMark());
        using FakeTaskContext context = new(), other = new();
        Task<TaskOutcome> running = Marked(mark, "setsid -f sh -c 'sleep 1000; :' $MARK; sleep 1000; :").RunAsync(context);
        Task<TaskOutcome> otherRunning = Marked(otherMark, "setsid -f sh -c 'sleep 1000; :' $MARK; sleep 1000; :").RunAsync(other);
        await ProcessWatch.UntilAliveAsync(mark, 2);
        await ProcessWatch.UntilAliveAsync(otherMark, 2);
        context.Kill();
        await running;
        Assert.Equal((0, 2), (ProcessWatch.Alive(mark), ProcessWatch.Alive(otherMark)));
        other.Kill();
        await otherRunning;
    }

    [Fact(Timeout = 30000)]
    public async Task Attempt_that_was_stopped_before_it_began_starts_nothing()
    {
        using var context = new FakeTaskContext();
        context.Stop();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Commands.Of("/bin/true").RunAsync(context));
    }

    private static CommandHandler Marked(string mark, string script) => Commands.Of(
        options =>
        {
            options.Environment["MARK"] = mark;
            options.Environment["DOUBLE_FORK"] = PythonDoubleFork;
        },
        "/bin/sh",
        "-c",
        script,
        mark);
}
