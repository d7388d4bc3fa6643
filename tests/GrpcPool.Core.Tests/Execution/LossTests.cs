using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

/// <summary>Losses come from hosts that die; here the committer is told of them, and what the handlers say later changes nothing.</summary>
public sealed class LossTests
{
    [Fact(Timeout = TimeoutMs)]
    public async Task Suspects_run_one_at_a_time_and_others_beside_them()
    {
        await using TestPool pool = await StartAsync();
        TestRun[] runs = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => pool.RunAsync($"s{i}", Stubborn)));
        for (int loss = 1; loss <= 2; loss++)
        {
            for (int i = 0; i < 3; i++)
            {
                TaskRecord running = await pool.FindAsync($"s{i}");
                await pool.CommitAsync(new EndAttempt(running.Id, running.Claim, new AttemptEnding.Lost()));
                await pool.WhenAsync($"s{i}", TaskState.Retrying, running.Version);
            }

            foreach (TestRun run in runs)
            {
                run.Succeed();
                await run.Returned;
            }

            await pool.SettleAsync();
            pool.Time.Advance(TimeSpan.FromSeconds(1));
            if (loss == 1)
                runs = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => pool.Handler.StartedAsync($"s{i}")));
        }

        for (int i = 0; i < 3; i++)
        {
            TestRun alone = await pool.Handler.StartedAsync($"s{i}");
            await pool.RunAsync($"beside{i}");
            Assert.Equal(i + 2, pool.Handler.Running);
            Assert.Equal((1, 2), (alone.Context.Attempt, (await pool.FindAsync($"s{i}")).Losses));
            alone.Succeed();
            await pool.WhenAsync($"s{i}", TaskState.Succeeded);
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_task_that_is_lost_too_often_fails_and_its_attempts_are_not_used()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync("t", Stubborn with { Retry = new RetryPolicy { MaxLosses = 1, Jitter = 0 } });
        for (int loss = 1; loss <= 2; loss++)
        {
            TestRun run = await pool.Handler.StartedAsync("t");
            Assert.Equal(1, run.Context.Attempt);
            TaskRecord running = await pool.FindAsync("t");
            await pool.CommitAsync(new EndAttempt(running.Id, running.Claim, new AttemptEnding.Lost()));
            run.Succeed();
            await pool.SettleAsync();
            pool.Time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(FailureCode.LeaseLost, (await pool.WhenAsync("t", TaskState.Failed)).Failure!.Code);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_lost_attempt_of_a_cancelled_task_ends_it()
    {
        await using TestPool pool = await StartAsync();
        TestRun run = await pool.RunAsync("t", Stubborn);
        await pool.CancelAsync("t");
        await pool.CommitAsync(new EndAttempt(Id("t"), (await pool.FindAsync("t")).Claim, new AttemptEnding.Lost()));
        run.Succeed();

        Assert.Equal(TaskState.Cancelled, (await pool.WhenAsync("t", TaskState.Cancelled)).State);
    }
}
