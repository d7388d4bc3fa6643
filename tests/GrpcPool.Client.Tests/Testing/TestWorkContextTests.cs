using System.Text.Json.Serialization;
using GrpcPool.Client.Testing;
using GrpcPool.Client.Tests.Infrastructure;
using GrpcPool.Client.Workers;
using GrpcPool.V1;

namespace GrpcPool.Client.Tests.Testing;

/// <summary>A handler on its own, as an application's unit test runs it; and so the handler of typed payloads.</summary>
public sealed partial class TestWorkContextTests
{
    [Fact]
    public async Task A_handler_is_run_on_a_payload_and_what_it_says_is_there()
    {
        var context = TestWorkContext.Of(new Count(3), HandlerJson.Default.Count);
        WorkOutcome outcome = await context.RunAsync(new CountHandler());
        Assert.Equal(("\"3 counted\"", "application/json"), (System.Text.Encoding.UTF8.GetString(outcome.Result.Span), outcome.ContentType));
        Assert.Equal([1 / 3.0, 2 / 3.0, 1], context.Progress.Select(static progress => progress.Fraction));
        Assert.Equal("one\none\none\n", context.Log);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[")]
    [InlineData("{\"To\": -1}")]
    public async Task A_payload_that_cannot_be_read_fails_for_good(string payload)
    {
        var context = new TestWorkContext(new TaskSpec { Payload = Google.Protobuf.ByteString.CopyFromUtf8(payload) });
        WorkOutcome outcome = await context.RunAsync(new CountHandler());
        Assert.Equal((FailureCode.InvalidPayload, false), (outcome.Failure!.Code, outcome.Failure.Retryable));
        Assert.Contains("Count", outcome.Failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_handler_that_is_stopped_or_throws_has_failed_as_in_a_worker()
    {
        var context = new TestWorkContext(new TaskSpec { Id = "a", Kind = "test" }, attempt: 2);
        Task<WorkOutcome> running = context.RunAsync(new TestHandler { OnRun = static (_, stopping) => new ValueTask<WorkOutcome>(Never(stopping)) });
        context.Stop("enough");
        Assert.Equal((FailureCode.HandlerError, true), ((await running).Failure!.Code, (await running).Failure!.Retryable));
        Assert.Equal(("enough", 2, "a", "default", "test"), (context.StopReason, context.Attempt, context.TaskId, context.Queue, context.Kind));
        Assert.False(context.Killed.IsCancellationRequested);
        context.Kill();
        Assert.True(context.Killed.IsCancellationRequested);
    }

    [Fact]
    public void Texts_of_a_failure_are_cut_where_no_pair_is_torn()
    {
        Failure failure = WorkOutcome.Failed(FailureCode.HandlerError, new string('m', 1023) + "😀", detail: "😀" + new string('d', 8191)).Failure!;
        Assert.Equal((new string('m', 1023), new string('d', 8191)), (failure.Message, failure.Detail));
        Assert.Throws<ArgumentOutOfRangeException>(() => WorkOutcome.Succeeded(contentType: new string('t', 256)));
    }

    private static async Task<WorkOutcome> Never(CancellationToken stopping)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping);
        return WorkOutcome.Succeeded();
    }

    internal sealed record Count
    {
        [JsonConstructor]
        public Count(int to)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(to, 1);
            To = to;
        }

        public int To { get; }
    }

    private sealed class CountHandler() : WorkHandler<Count>(HandlerJson.Default.Count)
    {
        protected override ValueTask<WorkOutcome> RunAsync(Count payload, WorkContext context, CancellationToken stopping)
        {
            for (int i = 1; i <= payload.To; i++)
            {
                context.WriteLog("one\n");
                context.ReportProgress((double)i / payload.To);
            }

            return ValueTask.FromResult(WorkOutcome.Succeeded($"{payload.To} counted", HandlerJson.Default.String));
        }
    }

    [JsonSerializable(typeof(Count))]
    [JsonSerializable(typeof(string))]
    private sealed partial class HandlerJson : JsonSerializerContext;
}
