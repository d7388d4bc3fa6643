using System.Diagnostics;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.Cli.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Cli.Tests.Commands;

public sealed class WatchingTests(Pool pool)
{
    private const int Timeout = 120_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Timeout)]
    public async Task Status_shows_a_task_in_each_format()
    {
        using var session = new Session(pool);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "echo", Id = "text", Payload = ByteString.CopyFromUtf8("two\nlines"), Labels = { ["team"] = "blue" } }, Stop);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "echo", Id = "bytes", Payload = ByteString.CopyFrom(0, 255) }, Stop);
        await session.Client.GetTask("text").WaitAsync(Stop);
        await session.Client.GetTask("bytes").WaitAsync(Stop);
        Ended text = await session.RunAsync("status", "text");
        Ended bytes = await session.RunAsync("status", "bytes");
        Ended json = await session.RunAsync("status", "text", "--output", "json");
        Ended result = await session.RunAsync("status", "text", "--result");
        Ended unknown = await session.RunAsync("status", "nobody");

        Assert.Matches(@"\nstate +SUCCEEDED\n", text.Output);
        Assert.Matches(@"\nlabels +team=blue\n", text.Output);
        Assert.Matches(@"\nresult +two\n +lines\n$", text.Output);
        Assert.Matches(@"\nresult +2 bytes\n$", bytes.Output);
        Assert.Equal("TASK_STATE_SUCCEEDED", JsonDocument.Parse(json.Output).RootElement.GetProperty("state").GetString());
        Assert.Equal("two\nlines", result.Output);
        Assert.Equal((1, 1), (unknown.Code, unknown.Errors.Count('\n')));
    }

    [Fact(Timeout = Timeout)]
    public async Task Wait_ends_with_the_outcome_of_the_tasks()
    {
        using var session = new Session(pool);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "echo", Id = "good" }, Stop);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "sleep", Id = "long", Payload = ByteString.CopyFromUtf8("""{"seconds": 600}""") }, Stop);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "echo", Id = "cancelled", Delay = Hour }, Stop);
        await session.Client.GetTask("cancelled").CancelAsync(cancellationToken: Stop);
        Ended good = await session.RunAsync("wait", "good", "--output", "id");
        Ended both = await session.RunAsync("wait", "good", "cancelled");
        Ended late = await session.RunAsync("wait", "long", "--timeout", "10ms");
        Ended unknown = await session.RunAsync("wait", "nobody");

        Assert.Equal(new Ended(0, "good\n", ""), good);
        Assert.Equal(4, both.Code);
        Assert.Matches(@"\ngood +echo +default +SUCCEEDED .*\ncancelled +echo +default +CANCELLED ", both.Output);
        Assert.Equal(6, late.Code);
        Assert.Equal((1, ""), (unknown.Code, unknown.Output));
    }

    [Fact(Timeout = Timeout)]
    public async Task List_and_count_take_filters()
    {
        using var session = new Session(pool);
        for (int i = 0; i < 3; i++)
            await session.Client.SubmitAsync(new TaskSpec { Kind = "echo", Id = $"t{i}", Queue = "mail", Delay = Hour, Labels = { ["number"] = $"{i % 2}" } }, Stop);
        Ended all = await session.RunAsync("list", "--output", "id");
        Ended some = await session.RunAsync("list", "--label", "number=0", "--state", "scheduled,queued", "--submitted-after", "1h", "--limit", "1", "--output", "json");
        Ended none = await session.RunAsync("list", "--queue", "post");
        Ended count = await session.RunAsync("count", "--by", "state");
        Ended json = await session.RunAsync("count", "--kind", "echo", "--output", "json");

        Assert.Equal("t2\nt1\nt0\n", all.Output);
        Assert.Equal("t2", JsonDocument.Parse(some.Output).RootElement.GetProperty("id").GetString());
        Assert.Equal(1, none.Output.Count('\n'));
        Assert.Equal("SCHEDULED  3\ntotal      3\n", count.Output);
        Assert.Equal("{ \"total\": \"3\", \"exact\": true }\n", json.Output);
    }

    [Fact(Timeout = Timeout)]
    public async Task Watch_prints_a_line_per_change_where_it_is_redirected()
    {
        using var session = new Session(pool);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "echo", Id = "w1" }, Stop);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "echo", Id = "w2" }, Stop);
        Ended ids = await session.RunAsync("watch", "w1", "w2");
        Ended json = await session.RunAsync("watch", "w1", "--output", "json");

        Assert.Equal((0, ""), (ids.Code, ids.Errors));
        Assert.DoesNotContain('\e', ids.Output);
        Assert.Matches(@"(?m)^\d\d:\d\d:\d\d  SUCCEEDED  w1  echo  default$", ids.Output);
        Assert.Matches(@"(?m)^\d\d:\d\d:\d\d  SUCCEEDED  w2  echo  default$", ids.Output);
        Assert.Equal("w1", JsonDocument.Parse(json.Output.Split('\n')[0]).RootElement.GetProperty("task").GetProperty("id").GetString());
    }

    [Fact(Timeout = Timeout)]
    public async Task Watch_by_filter_goes_on_until_it_is_interrupted()
    {
        using var session = new Session(pool);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "echo", Id = "first", Delay = Hour }, Stop);
        Process process = session.Start("watch", "--kind", "echo");
        await Session.ReadUntilAsync(process.StandardOutput, "SCHEDULED  first");
        await session.Client.SubmitAsync(new TaskSpec { Kind = "echo", Id = "second" }, Stop);
        await Session.ReadUntilAsync(process.StandardOutput, "SUCCEEDED  second");
        Session.InterruptIt(process);

        Assert.Equal(new Ended(130, "", ""), await Executable.EndAsync(process));
    }

    [Fact(Timeout = Timeout)]
    public async Task A_reader_that_has_seen_enough_ends_the_command_in_silence()
    {
        using var session = new Session(pool);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "echo", Id = "first", Delay = Hour }, Stop);
        Process process = session.Start("watch");
        await Session.ReadUntilAsync(process.StandardOutput, "first");
        process.StandardOutput.Close();
        await session.Client.SubmitAsync(new TaskSpec { Kind = "echo", Id = "second" }, Stop);
        await process.WaitForExitAsync(Stop);

        Assert.Equal((0, ""), (process.ExitCode, await process.StandardError.ReadToEndAsync(Stop)));
    }

    [Fact(Timeout = Timeout)]
    public async Task Log_prints_what_the_handler_wrote()
    {
        using var session = new Session(pool);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "chat", Id = "c1" }, Stop);
        Ended followed = await session.RunAsync("log", "c1", "--follow");
        Ended read = await session.RunAsync("log", "c1");
        Ended unknown = await session.RunAsync("log", "nobody");

        Assert.Equal(new Ended(0, "one\ntwo\n", ""), followed);
        Assert.Equal(followed, read);
        Assert.Equal((1, "", 1), (unknown.Code, unknown.Output, unknown.Errors.Count('\n')));
    }

    private static Duration Hour => Duration.FromTimeSpan(TimeSpan.FromHours(1));
}
