using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Core.Tests.Handlers;

public sealed class BuiltInHandlersTests
{
    [Fact(Timeout = 30000)]
    public async Task Echo_returns_the_payload_and_its_type_at_once()
    {
        using var context = new FakeTaskContext("hello");
        Task<TaskOutcome> running = new EchoHandler().RunAsync(context, context.Stopping).AsTask();
        Assert.True(running.IsCompletedSuccessfully);
        TaskOutcome outcome = await running;
        Assert.Equal(("hello", "text/plain"), (outcome.Text(), outcome.ContentType));
    }

    [Fact(Timeout = 30000)]
    public async Task Sleep_reports_progress_after_each_step()
    {
        var time = new FakeTimeProvider();
        using var context = new FakeTaskContext("""{"seconds": 3, "steps": 3}""");
        Task<TaskOutcome> running = new SleepHandler(time).RunAsync(context, context.Stopping).AsTask();
        for (int step = 1; step <= 3; step++)
        {
            Assert.False(running.IsCompleted);
            time.Advance(TimeSpan.FromSeconds(1));
            await ProcessWatch.UntilAsync(() => context.Reports.Count == step, TimeSpan.FromSeconds(10), "a report");
        }

        Assert.Null((await running).Failure);
        Assert.Equal([(1.0 / 3, "step 1 of 3"), (2.0 / 3, "step 2 of 3"), (1.0, "step 3 of 3")], context.Reports);
    }

    [Fact(Timeout = 30000)]
    public async Task Sleep_ends_when_asked_to_stop()
    {
        using var context = new FakeTaskContext("""{"seconds": 1000}""");
        Task<TaskOutcome> running = new SleepHandler(new FakeTimeProvider()).RunAsync(context, context.Stopping).AsTask();
        context.Stop();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Theory(Timeout = 30000)]
    [InlineData("", "JSON object")]
    [InlineData("7", "JSON object")]
    [InlineData("{", "JSON object")]
    [InlineData("{}", "seconds: must be a number from 0 to 2592000")]
    [InlineData("""{"seconds": -1}""", "seconds: must be")]
    [InlineData("""{"seconds": 1e9}""", "seconds: must be")]
    [InlineData("""{"seconds": "1"}""", "seconds: must be")]
    [InlineData("""{"seconds": 1, "steps": 0}""", "steps: must be a whole number from 1 to 10000")]
    [InlineData("""{"seconds": 1, "steps": 1.5}""", "steps: must be")]
    [InlineData("""{"seconds": 1, "speed": 2}""", "speed: there is no such field")]
    public async Task Sleep_names_the_broken_rule(string payload, string message)
    {
        using var context = new FakeTaskContext(payload);
        Failure failure = Assert.IsType<Failure>((await new SleepHandler(TimeProvider.System).RunAsync(context, context.Stopping)).Failure);
        Assert.Equal(FailureCode.InvalidPayload, failure.Code);
        Assert.False(failure.Retryable);
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Theory(Timeout = 30000)]
    [InlineData("""{"times": 2}""", 1, true)]
    [InlineData("""{"times": 2}""", 2, true)]
    [InlineData("""{"times": 2}""", 3, false)]
    [InlineData("""{"times": 0}""", 1, false)]
    [InlineData("{}", 1000, true)]
    [InlineData("", 1, true)]
    public async Task Fail_succeeds_after_so_many_failures(string payload, int attempt, bool fails)
    {
        using var context = new FakeTaskContext(payload, attempt);
        TaskOutcome outcome = await new FailHandler().RunAsync(context, context.Stopping);
        Assert.Equal(fails, outcome.Failure is { Code: FailureCode.HandlerError, Retryable: true });
    }

    [Theory(Timeout = 30000)]
    [InlineData("""{"message": "as told", "retryable": false}""", FailureCode.HandlerError, "as told")]
    [InlineData("""{"message": 1}""", FailureCode.InvalidPayload, "message: must be a text of at most 1024 characters")]
    [InlineData("""{"retryable": "no"}""", FailureCode.InvalidPayload, "retryable: must be true or false")]
    [InlineData("""{"times": -1}""", FailureCode.InvalidPayload, "times: must be a whole number from 0 to 1000000")]
    public async Task Fail_fails_as_told(string payload, FailureCode code, string message)
    {
        using var context = new FakeTaskContext(payload);
        TaskOutcome outcome = await new FailHandler().RunAsync(context, context.Stopping);
        Assert.Equal(new Failure(code, message, retryable: false), outcome.Failure);
    }
}
