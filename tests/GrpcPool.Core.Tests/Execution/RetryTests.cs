using System.Text;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

public sealed class RetryTests
{
    private static readonly TaskSpec ThreeAttempts = Spec with { Retry = new RetryPolicy { MaxAttempts = 3, Jitter = 0 } };

    [Fact(Timeout = TimeoutMs)]
    public async Task A_result_is_kept_with_its_content_type()
    {
        await using TestPool pool = await StartAsync();
        (await pool.RunAsync("t")).Succeed("done");
        TaskRecord ended = await pool.WhenAsync("t", TaskState.Succeeded);

        Assert.Equal(("done", "text/plain", 1), (Encoding.UTF8.GetString(ended.Result.Span), ended.ResultContentType, ended.Attempt));
        Assert.Null(ended.Failure);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_retryable_failure_is_tried_again_after_growing_pauses_until_the_attempts_are_used_up()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync("t", ThreeAttempts);
        for (int attempt = 1; attempt <= 3; attempt++)
        {
            TestRun run = await pool.Handler.StartedAsync("t");
            Assert.Equal(attempt, run.Context.Attempt);
            run.Fail();
            if (attempt == 3)
                break;
            var pause = TimeSpan.FromSeconds(attempt);
            TaskRecord retrying = await pool.WhenAsync("t", TaskState.Retrying, after: 3 * (attempt - 1));
            Assert.Equal(pool.Now + pause, retrying.RunAt);
            await pool.SettleAsync();
            pool.Time.Advance(pause - TimeSpan.FromMilliseconds(1));
            await pool.SettleAsync();
            Assert.Equal(TaskState.Retrying, await pool.StateOfAsync("t"));
            pool.Time.Advance(TimeSpan.FromMilliseconds(1));
        }

        TaskRecord failed = await pool.WhenAsync("t", TaskState.Failed);
        Assert.Equal((FailureCode.HandlerError, 3), (failed.Failure!.Code, failed.Attempt));
        Assert.Equal([1, 2, 3], failed.Attempts.Select(attempt => attempt.Number));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_handler_may_ask_for_a_longer_pause()
    {
        await using TestPool pool = await StartAsync();
        var pause = TimeSpan.FromMinutes(7);
        pool.Handler.Behave(_ => ValueTask.FromResult(TaskOutcome.Failed(new Failure(FailureCode.HandlerError, "not so fast", retryable: true), pause)));
        await pool.SubmitAsync("t", ThreeAttempts);

        Assert.Equal(pool.Now + pause, (await pool.WhenAsync("t", TaskState.Retrying)).RunAt);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_failure_that_is_not_retryable_is_final()
    {
        await using TestPool pool = await StartAsync();
        (await pool.RunAsync("t", ThreeAttempts)).Fail(retryable: false);

        Assert.Equal(1, (await pool.WhenAsync("t", TaskState.Failed)).Attempt);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_a_handler_throws_is_a_retryable_failure()
    {
        await using TestPool pool = await StartAsync();
        (await pool.RunAsync("t", ThreeAttempts)).Throw(new InvalidOperationException("broken"));
        Failure failure = (await pool.WhenAsync("t", TaskState.Retrying)).Failure!;

        Assert.Equal((FailureCode.HandlerError, "broken", true), (failure.Code, failure.Message, failure.Retryable));
        Assert.Contains(nameof(InvalidOperationException), failure.Detail, StringComparison.Ordinal);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_cancellation_that_nobody_asked_for_is_a_failure()
    {
        await using TestPool pool = await StartAsync();
        (await pool.RunAsync("t")).Throw(new OperationCanceledException("of itself"));

        Assert.Equal(FailureCode.HandlerError, (await pool.WhenAsync("t", TaskState.Failed)).Failure!.Code);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_result_that_is_too_large_is_a_final_failure()
    {
        await using TestPool pool = await StartAsync(options => options.Limits.ResultBytesMax = 3);
        (await pool.RunAsync("fits")).Succeed("123");
        (await pool.RunAsync("large", ThreeAttempts)).Succeed("1234");

        await pool.WhenAsync("fits", TaskState.Succeeded);
        Assert.Equal(FailureCode.ResultTooLarge, (await pool.WhenAsync("large", TaskState.Failed)).Failure!.Code);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_failed_task_can_be_run_again_with_all_its_attempts()
    {
        await using TestPool pool = await StartAsync();
        (await pool.RunAsync("t")).Fail();
        await pool.WhenAsync("t", TaskState.Failed);
        CommandOutcome retried = await pool.Pool.RetryAsync(Id("t"));
        Assert.Equal((Verdict.Done, 0, TaskState.Queued), (retried.Verdict, retried.Task!.Attempt, retried.Task.State));
        TestRun again = await pool.Handler.StartedAsync("t");
        Assert.Equal(1, again.Context.Attempt);
        Assert.Equal(Verdict.Refused, (await pool.Pool.RetryAsync(Id("t"))).Verdict);
        again.Succeed();
        await pool.WhenAsync("t", TaskState.Succeeded);

        Assert.Equal(Verdict.Refused, (await pool.Pool.RetryAsync(Id("t"))).Verdict);
        Assert.Equal(Verdict.NotFound, (await pool.Pool.RetryAsync(Id("unknown"))).Verdict);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Cancelled_and_expired_tasks_can_be_run_again_even_into_a_full_queue()
    {
        await using TestPool pool = await StartAsync(options => options.Queues["default"].Capacity = 1);
        await pool.SubmitAsync("cancelled", runAt: pool.Now.AddDays(1));
        await pool.CancelAsync("cancelled");
        await pool.SubmitAsync("full", Spec with { Kind = NobodysKind });
        await pool.Pool.RetryAsync(Id("cancelled"));

        TestRun run = await pool.Handler.StartedAsync("cancelled");
        Assert.Null((await pool.FindAsync("cancelled")).Cancellation);
        run.Succeed();
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Only_a_finished_task_can_be_deleted()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t");
        Assert.Equal(Verdict.Refused, (await pool.Pool.DeleteAsync(Id("t"))).Verdict);
        run.Succeed();
        await pool.WhenAsync("t", TaskState.Succeeded);

        Assert.Equal(Verdict.Done, (await pool.Pool.DeleteAsync(Id("t"))).Verdict);
        Assert.Null(await pool.Pool.FindAsync(Id("t")));
        Assert.Equal(Verdict.NotFound, (await pool.Pool.DeleteAsync(Id("t"))).Verdict);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_finished_task_is_forgotten_when_its_retention_ends()
    {
        await using TestPool pool = await StartAsync();
        pool.Handler.SucceedAtOnce();
        await pool.SubmitAsync("t", Spec with { Retention = TimeSpan.FromMinutes(1) });
        await pool.WhenAsync("t", TaskState.Succeeded);
        await pool.SettleAsync();
        pool.Time.Advance(TimeSpan.FromSeconds(59));
        await pool.SettleAsync();
        Assert.NotNull(await pool.Pool.FindAsync(Id("t")));
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        await pool.Store.WhenAsync(change => change.Type == ChangeType.Pruned);

        Assert.Null(await pool.Pool.FindAsync(Id("t")));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Of_finished_tasks_above_the_bound_the_oldest_are_forgotten()
    {
        await using TestPool pool = await StartAsync(options => options.Pool.FinishedMax = 10);
        pool.Handler.SucceedAtOnce();
        for (int i = 0; i < 30; i++)
        {
            await pool.SubmitAsync($"t{i}");
            await pool.WhenAsync($"t{i}", TaskState.Succeeded);
        }

        await pool.SettleAsync();
        TaskPage kept = await pool.Pool.ListAsync(new TaskScan(new TaskFilter("default"), null, NewestFirst: false, 100));
        Assert.Equal(Enumerable.Range(20, 10).Select(i => $"t{i}"), kept.Tasks.Select(task => task.Id.Value));
    }
}
