using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Tests.Handlers;

public sealed class CommandOutcomeTests
{
    [Fact(Timeout = 30000)]
    public async Task Payload_goes_in_and_the_result_comes_out()
    {
        TaskOutcome outcome = await Commands.Of(options => options.ContentType = "text/x", "/usr/bin/tr", "a-z", "A-Z").RunAsync("hello");
        Assert.Null(outcome.Failure);
        Assert.Equal(("HELLO", "text/x"), (outcome.Text(), outcome.ContentType));
    }

    [Fact(Timeout = 30000)]
    public async Task Payload_of_a_mebibyte_passes_through()
    {
        string payload = new('x', Commands.ResultBytesMax);
        Assert.Equal(payload, (await Commands.Of("/bin/cat").RunAsync(payload)).Text());
    }

    [Fact(Timeout = 30000)]
    public async Task Payload_that_is_not_read_is_no_failure()
    {
        TaskOutcome outcome = await Commands.Shell("echo done").RunAsync(new string('x', Commands.ResultBytesMax));
        Assert.Equal("done\n", outcome.Text());
    }

    [Theory(Timeout = 30000)]
    [InlineData("exit 75", true, "exit code 75")]
    [InlineData("exit 1", false, "exit code 1")]
    [InlineData("echo one >&2; echo >&2; echo two >&2; exit 75", true, "one | two")]
    [InlineData("kill -SEGV $$", false, "ended by signal 11")]
    public async Task Exit_that_is_not_zero_is_a_failure(string script, bool retryable, string message)
    {
        Failure failure = Assert.IsType<Failure>((await Commands.Shell(script).RunAsync()).Failure);
        Assert.Equal((FailureCode.HandlerError, retryable, message), (failure.Code, failure.Retryable, failure.Message));
    }

    [Fact(Timeout = 30000)]
    public async Task Endless_output_is_cut_off_and_fails()
    {
        Failure failure = Assert.IsType<Failure>((await Commands.Of("/usr/bin/yes").RunAsync()).Failure);
        Assert.Equal((FailureCode.ResultTooLarge, false), (failure.Code, failure.Retryable));
    }

    [Theory(Timeout = 30000)]
    [InlineData(100, false)]
    [InlineData(99, true)]
    public async Task Output_may_be_as_large_as_its_bound(int bytesMax, bool fails)
    {
        TaskOutcome outcome = await Commands.Of(options => options.OutputBytesMax = bytesMax, "/usr/bin/head", "-c", "100", "/dev/zero").RunAsync();
        Assert.Equal(fails ? FailureCode.ResultTooLarge : null, outcome.Failure?.Code);
    }

    [Theory(Timeout = 30000)]
    [InlineData("yes | head -c 64M >&2; echo the end >&2; exit 1")]
    [InlineData("head -c 64M /dev/zero >&2; echo >&2; echo the end >&2; exit 1")]
    public async Task Standard_error_is_read_without_bound_and_kept_within_one(string script)
    {
        Failure failure = Assert.IsType<Failure>((await Commands.Shell(script).RunAsync()).Failure);
        Assert.EndsWith("the end", failure.Message, StringComparison.Ordinal);
        Assert.InRange(failure.Detail.Length, 1000, Failure.DetailCharactersMax);
    }

    [Fact(Timeout = 30000)]
    public async Task Bytes_that_are_not_utf8_are_replaced_on_standard_error_and_kept_in_the_result()
    {
        TaskOutcome failed = await Commands.Shell(@"printf 'bad \377\000 byte' >&2; exit 1").RunAsync();
        Assert.Equal("bad \uFFFD\uFFFD byte", failed.Failure?.Message);
        TaskOutcome succeeded = await Commands.Shell(@"printf '\377\000'").RunAsync();
        Assert.Equal([0xFF, 0x00], succeeded.Result.ToArray());
    }

    [Fact(Timeout = 30000)]
    public async Task Progress_lines_are_reported_and_not_kept()
    {
        using var context = new FakeTaskContext();
        CommandHandler handler = Commands.Shell("echo '::progress 0.42 almost half' >&2; echo '::progress 1' >&2; echo '::progress soon' >&2; exit 1");
        TaskOutcome outcome = await handler.RunAsync(context);
        Assert.Equal([(0.42, "almost half"), (1.0, "")], context.Reports);
        Assert.Equal("::progress soon", outcome.Failure?.Detail);
    }

    [Theory(Timeout = 30000)]
    [InlineData("/no/such/program", "No such file")]
    [InlineData("/etc/passwd", "Permission denied")]
    public async Task Program_that_cannot_run_is_named(string program, string reason)
    {
        Failure failure = Assert.IsType<Failure>((await Commands.Of(program).RunAsync()).Failure);
        Assert.Equal((FailureCode.HandlerError, false), (failure.Code, failure.Retryable));
        Assert.StartsWith($"cannot start {program}: {reason}", failure.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 30000)]
    public async Task Missing_working_directory_is_named()
    {
        TaskOutcome outcome = await Commands.Of(options => options.WorkingDirectory = "/no/such/place", "/bin/true").RunAsync();
        Assert.Equal("cannot start /bin/true: no working directory /no/such/place", outcome.Failure?.Message);
    }

    [Fact]
    public void Command_must_be_an_absolute_path() => Assert.Throws<ArgumentException>(() => Commands.Of("sh"));
}
