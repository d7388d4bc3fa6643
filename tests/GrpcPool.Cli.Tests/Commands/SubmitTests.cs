using System.Diagnostics;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.Cli.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Cli.Tests.Commands;

public sealed class SubmitTests(Pool pool)
{
    private const int Timeout = 120_000;

    [Fact(Timeout = Timeout)]
    public async Task Submit_takes_every_field_of_a_task()
    {
        using var session = new Session(pool);
        Ended submitted = await session.RunWithInputAsync(
            "hello", "submit", "echo", "-", "--id", "all", "--queue", "mail", "--priority", "-5", "--serial-key", "k", "--slots", "2", "--run-at", "2100-01-01T00:00:00Z",
            "--start-timeout", "1h30m", "--run-timeout", "1.5s", "--total-timeout", "00:02:00", "--max-attempts", "3", "--initial-backoff", "100ms", "--backoff-multiplier", "1.5",
            "--max-backoff", "1m", "--jitter", "0", "--max-losses", "0", "--label", "team=blue", "--label", "a=b=c", "--header", "tenant=7", "--retention", "2d", "--parent", "p", "--group", "g",
            "--content-type", "text/plain", "--output", "id");

        Assert.Equal(new Ended(0, "all\n", ""), submitted);
        TaskInfo task = await session.Client.GetTask("all").GetStatusAsync(TaskView.Full, TestContext.Current.CancellationToken);
        Assert.Equal(("echo", "hello", "text/plain", "mail", -5, "k", 2), (task.Kind, task.Payload.ToStringUtf8(), task.ContentType, task.Queue, task.Priority, task.SerialKey, task.Slots));
        Assert.Equal((TaskState.Scheduled, 3, "p", "g", "7"), (task.State, task.MaxAttempts, task.ParentId, task.Group, task.Headers["tenant"]));
        Assert.Equal(("blue", "b=c"), (task.Labels["team"], task.Labels["a"]));
    }

    [Fact(Timeout = Timeout)]
    public async Task Submit_with_a_unique_key_answers_the_live_task_or_is_refused()
    {
        using var session = new Session(pool);
        await session.RunAsync("submit", "echo", "--id", "unique-1", "--unique-key", "key of submit", "--delay", "1h");
        Ended existing = await session.RunAsync("submit", "echo", "--unique-key", "key of submit", "--on-conflict", "use-existing", "--output", "id");
        Ended rejected = await session.RunAsync("submit", "echo", "--unique-key", "key of submit", "--on-conflict", "reject");
        Ended replaced = await session.RunAsync("submit", "echo", "--id", "unique-2", "--unique-key", "key of submit", "--on-conflict", "replace", "--delay", "1h", "--output", "id");
        Ended unknown = await session.RunAsync("submit", "echo", "--unique-key", "k", "--on-conflict", "fight");

        Assert.Equal(new Ended(0, "unique-1\n", ""), existing);
        Assert.NotEqual(0, rejected.Code);
        Assert.Contains("the task 'unique-1', which is SCHEDULED, has the unique key 'key of submit'", rejected.Errors, StringComparison.Ordinal);
        Assert.Equal(new Ended(0, "unique-2\n", ""), replaced);
        Assert.Equal((2, true), (unknown.Code, unknown.Errors.Contains("use-existing, reject, replace", StringComparison.Ordinal)));
    }

    [Fact(Timeout = Timeout)]
    public async Task Submit_after_other_tasks_waits_for_their_ends()
    {
        using var session = new Session(pool);
        await session.RunAsync("submit", "fail", "--id", "first-1", "--delay", "1h");
        await session.RunAsync("submit", "echo", "--id", "first-2", "--delay", "1h");
        Ended waits = await session.RunAsync("submit", "echo", "--id", "then", "--after", "first-1", "--after", "first-2");
        await session.RunAsync("submit", "echo", "--id", "anyway", "--after", "first-1", "--after-policy", "run-anyway");
        await session.RunAsync("cancel", "first-1");
        Ended cancelled = await session.RunAsync("wait", "then");
        Ended ran = await session.RunAsync("wait", "anyway");
        Ended unknown = await session.RunAsync("submit", "echo", "--after", "nobody");

        Assert.Contains("waits for other tasks", waits.Output, StringComparison.Ordinal);
        Assert.Equal((4, 0), (cancelled.Code, ran.Code));
        Assert.Contains("after[0]: no task has the id 'nobody'", unknown.Errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = Timeout)]
    public async Task Submit_answers_in_each_format()
    {
        using var session = new Session(pool);
        Ended table = await session.RunAsync("submit", "echo", "a", "--id", "t1");
        Ended json = await session.RunAsync("submit", "echo", "a", "--id", "t1", "--output", "json");
        Ended id = await session.RunAsync("submit", "echo", "a", "--id", "t1", "--output", "id", "--address", $"unix:{pool.Socket}");
        Ended elsewhere = await session.RunAsync("count", "--namespace", "submit-elsewhere");
        Ended wrong = await session.RunAsync("submit", "echo", "a", "--output", "yaml");

        Assert.Matches(@"^ID +KIND +QUEUE +STATE +SUBMITTED +TOOK +REMARK\nt1 +echo +default +[A-Z]+ +20\d\d-", table.Output);
        Assert.Equal("t1", JsonDocument.Parse(json.Output).RootElement.GetProperty("id").GetString());
        Assert.Equal(new Ended(0, "t1\n", ""), id);
        Assert.Equal("0\n", elsewhere.Output);
        Assert.Equal(2, wrong.Code);
    }

    [Fact(Timeout = Timeout)]
    public async Task Waiting_submit_writes_the_result_and_ends_as_the_task_does()
    {
        using var session = new Session(pool);
        await session.WriteFileAsync("payload.txt", "from a file");
        Ended succeeded = await session.RunAsync("submit", "echo", "--payload-file", "payload.txt", "--wait");
        Ended failed = await session.RunAsync("submit", "fail", """{"message": "boom"}""", "--wait");
        Ended late = await session.RunAsync("submit", "sleep", """{"seconds": 600}""", "--id", "slow", "--wait", "--timeout", "10ms");
        Ended watched = await session.RunAsync("submit", "fail", """{"message": "boom"}""", "--watch");

        Assert.Equal(new Ended(0, "from a file", ""), succeeded);
        Assert.Equal((3, ""), (failed.Code, failed.Output));
        Assert.Matches("^grpcpool: task [0-9a-f-]+ ended FAILED: boom\n$", failed.Errors);
        Assert.Equal(new Ended(6, "", "grpcpool: task slow has not ended in time; it is RUNNING, and goes on.\n"), late);
        Assert.Equal(3, watched.Code);
        Assert.Matches(@"  FAILED     [0-9a-f-]+  fail  default  boom\n$", watched.Output);
    }

    [Fact(Timeout = Timeout)]
    public async Task What_the_server_refuses_is_told_in_one_line()
    {
        using var session = new Session(pool);
        var first = new TaskSpec { Kind = "echo", Queue = "small", Delay = Duration.FromTimeSpan(TimeSpan.FromHours(1)) };
        await session.Client.SubmitAsync(first, TestContext.Current.CancellationToken);
        Ended invalid = await session.RunAsync("submit", "echo", "--priority", "300");
        Ended full = await session.RunAsync("submit", "echo", "--queue", "small", "--delay", "1h");
        Ended unknown = await session.RunAsync("submit", "dance");
        Ended missing = await session.RunAsync("submit", "echo", "--payload-file", "nowhere");

        Assert.Equal(new Ended(2, "", "grpcpool: task.priority must be -100 to 100.\n"), invalid);
        Assert.Equal((75, ""), (full.Code, full.Output));
        Assert.Matches("^grpcpool: .*small.*; try again in .* s\\.\n$", full.Errors);
        Assert.Equal(1, unknown.Code);
        Assert.Contains("chat, deaf, echo, fail, sleep", unknown.Errors, StringComparison.Ordinal);
        Assert.Equal((1, 1), (missing.Code, missing.Errors.Count('\n')));
    }

    [Fact(Timeout = Timeout)]
    public async Task Where_no_server_is_reached_the_reason_is_told_in_one_line()
    {
        using var session = new Session(pool);
        (string Address, string Reason)[] wrong =
        [
            ("http://127.0.0.1:1/", "Connection refused"),
            ("unix:/nowhere/pool.sock", "there is no such socket"),
            ($"https://127.0.0.1:{pool.Address.Port}/", "frame"),
        ];
        foreach ((string address, string reason) in wrong)
        {
            Ended ended = await session.RunAsync("submit", "echo", "--address", address);
            Assert.Equal((69, "", 1), (ended.Code, ended.Output, ended.Errors.Count('\n')));
            Assert.StartsWith($"grpcpool: {address} is unreachable: ", ended.Errors, StringComparison.Ordinal);
            Assert.Contains(reason, ended.Errors, StringComparison.Ordinal);
        }
    }

    [Theory(Timeout = Timeout)]
    [InlineData("submit", "echo", "--delay", "soon")]
    [InlineData("submit", "echo", "--delay", "1m", "--run-at", "2100-01-01")]
    [InlineData("submit", "echo", "x", "--payload-file", "y")]
    [InlineData("submit", "echo", "--timeout", "1s")]
    [InlineData("submit", "echo", "--label", "team")]
    [InlineData("submit", "echo", "--token", "secret", "--address", "http://192.0.2.1:50051")]
    [InlineData("health", "--address", "unix:pool.sock")]
    [InlineData("watch", "id", "--queue", "mail")]
    [InlineData("cancel")]
    [InlineData("cancel", "id", "--dry-run")]
    [InlineData("list", "--state", "dancing")]
    [InlineData("list", "--limit", "0")]
    [InlineData("list", "--limit", "many")]
    [InlineData("list", "--limit", "99999999999")]
    [InlineData("submit", "echo", "--payload-file", "")]
    [InlineData("bulk", "")]
    [InlineData("check", "")]
    [InlineData("backup", "")]
    [InlineData("restore", "")]
    [InlineData("count", "--by", "colour")]
    public async Task Wrong_usage_ends_with_2_and_says_why(params string[] arguments)
    {
        Ended wrong = await Executable.RunOnceAsync(arguments);

        Assert.Equal((2, ""), (wrong.Code, wrong.Output));
        Assert.StartsWith("grpcpool: ", wrong.Errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = Timeout)]
    public async Task Run_shows_log_and_progress_and_writes_the_result()
    {
        using var session = new Session(pool);
        Ended run = await session.RunAsync("run", "chat", "hey");
        Ended failed = await session.RunAsync("run", "fail", """{"message": "boom"}""");

        Assert.Equal((0, "hey"), (run.Code, run.Output));
        Assert.Contains("one\n", run.Errors, StringComparison.Ordinal);
        Assert.Contains("two\n", run.Errors, StringComparison.Ordinal);
        Assert.Equal((3, ""), (failed.Code, failed.Output));
        Assert.Contains("ended FAILED: boom\n", failed.Errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = Timeout)]
    public async Task Interrupted_run_cancels_its_task_and_waits_for_its_end()
    {
        using var session = new Session(pool);
        Process process = session.Start("run", "sleep", """{"seconds": 600}""", "--id", "long");
        await Session.ReadUntilAsync(process.StandardError, "running");
        Session.InterruptIt(process);
        Ended run = await Executable.EndAsync(process);

        Assert.Equal((4, ""), (run.Code, run.Output));
        Assert.Contains("grpcpool: cancelling task long; Ctrl-C again leaves it to itself.\n", run.Errors, StringComparison.Ordinal);
        TaskInfo task = await session.Client.GetTask("long").GetStatusAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal((TaskState.Cancelled, "interrupted"), (task.State, task.Cancellation.Reason));
    }

    [Fact(Timeout = Timeout)]
    public async Task Interrupted_twice_run_leaves_its_task_to_itself()
    {
        using var session = new Session(pool);
        Process process = session.Start("run", "deaf", "--id", "deaf");
        await Session.ReadUntilAsync(process.StandardError, "started");
        Session.InterruptIt(process);
        await Session.ReadUntilAsync(process.StandardError, "Ctrl-C again");
        await foreach (TaskInfo task in session.Client.GetTask("deaf").WatchAsync(cancellationToken: TestContext.Current.CancellationToken))
        {
            if (task.Cancellation is not null)
                break;
        }

        Session.InterruptIt(process);
        Ended run = await Executable.EndAsync(process);
        TaskInfo left = await session.Client.GetTask("deaf").CancelAsync(forceAfter: TimeSpan.Zero, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal((130, ""), (run.Code, run.Output));
        Assert.Equal((TaskState.Running, "interrupted"), (left.State, left.Cancellation.Reason));
        Assert.Equal(TaskState.Cancelled, (await session.Client.GetTask("deaf").WaitAsync(TestContext.Current.CancellationToken)).State);
    }

    [Fact(Timeout = Timeout)]
    public async Task Bulk_submits_lines_and_names_those_that_are_refused()
    {
        using var session = new Session(pool);
        await session.WriteFileAsync("tasks.jsonl", """
            {"kind": "echo", "id": "b1", "payload": "aGVsbG8="}
            {"kid": "echo"}

            {"kind": "dance", "id": "b4"}
            {"kind": "echo", "id": "b5", "delay": "3600s"}
            """);
        Ended file = await session.RunAsync("bulk", "tasks.jsonl");
        Ended again = await session.RunWithInputAsync("""{"kind": "echo", "id": "b1", "payload": "aGVsbG8="}""", "bulk", "-", "--output", "id");
        Ended json = await session.RunWithInputAsync("""{"kind": "echo", "id": "b6"}""", "bulk", "-", "--output", "json");

        Assert.Equal((2, "2 tasks accepted, 2 lines refused.\n"), (file.Code, file.Output));
        Assert.Contains("grpcpool: line 2: Unknown field: kid\n", file.Errors, StringComparison.Ordinal);
        Assert.Contains("grpcpool: line 4: nobody runs the kind 'dance'", file.Errors, StringComparison.Ordinal);
        Assert.Equal(new Ended(0, "b1\n", ""), again);
        Assert.Equal("{ \"sequence\": \"1\", \"id\": \"b6\", \"created\": true }\n", json.Output);
    }

    [Fact(Timeout = Timeout)]
    public async Task Bulk_ends_with_the_code_of_the_first_refused_line_and_names_fields_as_in_the_file()
    {
        using var session = new Session(pool);
        await session.WriteFileAsync("tasks.jsonl", """
            {"kind": "dance"}
            {"kid": "echo"}
            {"kind": "echo", "priority": 300}
            """);
        Ended bulk = await session.RunAsync("bulk", "tasks.jsonl");

        Assert.Equal((1, "0 tasks accepted, 3 lines refused.\n"), (bulk.Code, bulk.Output));
        Assert.Contains("grpcpool: line 3: priority must be -100 to 100\n", bulk.Errors, StringComparison.Ordinal);
    }
}
