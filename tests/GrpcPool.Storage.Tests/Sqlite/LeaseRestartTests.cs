using GrpcPool.Core.Handlers;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Workers;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests.Sqlite;

/// <summary>Leases of those outside of the process stand over its restart.</summary>
public sealed class LeaseRestartTests
{
    private const int TimeoutMs = 30_000;
    private const string Kind = "remote";

    private static readonly TaskSpec Spec = Given.Spec with { Kind = Kind, Retry = new RetryPolicy { MaxLosses = 0 } };

    [Fact(Timeout = TimeoutMs)]
    public async Task A_worker_that_comes_back_after_a_crash_of_the_pool_ends_what_it_holds()
    {
        await using RestartedPool pool = await RestartedPool.StartAsync();
        (_, LeaseToken token) = await AssignAsync(pool);
        await pool.CrashAsync();
        Assert.Equal(TaskState.Running, (await pool.FindAsync("a")).State);
        WorkerSession again = await ConnectAsync(pool, credit: 0);
        again.Heartbeat(0, [token]);
        pool.Time.Advance(pool.Pool.Options.Workers.LeaseDuration * 0.9);
        again.Heartbeat(0, [token]);
        pool.Time.Advance(pool.Pool.Options.Workers.LeaseDuration * 0.9);
        await ReportAsync(again, 1, token);
        TaskRecord ended = await pool.EndAsync("a");
        Assert.Equal((TaskState.Succeeded, 1, 0), (ended.State, ended.Attempt, ended.Losses));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_lease_that_nobody_takes_up_after_a_crash_of_the_pool_is_lost_after_its_duration()
    {
        await using RestartedPool pool = await RestartedPool.StartAsync();
        await AssignAsync(pool);
        await pool.CrashAsync();
        TaskRecord lost = await pool.EndAsync("a");
        Assert.Equal((TaskState.Failed, FailureCode.LeaseLost), (lost.State, lost.Failure!.Code));
        Assert.True(lost.FinishedAt - Given.Now >= pool.Pool.Options.Workers.LeaseDuration);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_report_that_is_sent_again_after_its_ending_was_committed_is_accepted_again()
    {
        await using RestartedPool pool = await RestartedPool.StartAsync();
        (WorkerSession worker, LeaseToken token) = await AssignAsync(pool);
        await ReportAsync(worker, 1, token);
        TaskRecord ended = await pool.EndAsync("a");
        await pool.CrashAsync();
        (WorkerSession again, WorkerStream stream) = await ConnectByAsync(pool, credit: 0);
        await ReportAsync(again, 1, token);
        await ReportAsync(again, 2, token with { Nonce = token.Nonce + 1 });
        WorkerMail mail = (await again.NextMailAsync(stream, TestContext.Current.CancellationToken))!;
        Assert.Equal((2L, 1), (mail.Accepted, mail.Lost.Count));
        Assert.Equal(ended.Version, (await pool.FindAsync("a")).Version);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Declared_kinds_stay_known()
    {
        await using RestartedPool pool = await RestartedPool.StartAsync();
        await ConnectAsync(pool, credit: 0);
        await pool.CrashAsync();
        Assert.True(pool.Pool.Knows(Given.Namespace, Kind));
        Assert.False(pool.Pool.Knows("other", Kind));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_was_left_running_is_completed_after_a_crash_of_the_pool()
    {
        await using RestartedPool pool = await RestartedPool.StartAsync();
        LeaseToken token = await LeaveAsync(pool, "a");
        await pool.CrashAsync();
        CommandOutcome completed = await pool.Pool.CompleteAsync(Given.Id("a"), token, TaskOutcome.Succeeded("late"u8.ToArray()));
        CommandOutcome again = await pool.Pool.CompleteAsync(Given.Id("a"), token, TaskOutcome.Failed("again"));
        CommandOutcome guessed = await pool.Pool.CompleteAsync(Given.Id("a"), token with { Nonce = token.Nonce + 1 }, TaskOutcome.Succeeded());
        Assert.Equal((Verdict.Done, TaskState.Succeeded), (completed.Verdict, completed.Task!.State));
        Assert.Equal((Verdict.Done, completed.Task.Version), (again.Verdict, again.Task!.Version));
        Assert.Equal(Verdict.Refused, guessed.Verdict);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_was_left_running_ends_with_its_run_timeout_also_after_a_crash_of_the_pool()
    {
        await using RestartedPool pool = await RestartedPool.StartAsync();
        LeaseToken token = await LeaveAsync(pool, "a");
        await pool.CrashAsync();
        TaskRecord ended = await pool.EndAsync("a");
        Assert.Equal((TaskState.Failed, FailureCode.Timeout), (ended.State, ended.Failure!.Code));
        Assert.True(ended.FinishedAt - Given.Now >= RestartedPool.LeftRunTimeout);
        Assert.Equal(Verdict.Refused, (await pool.Pool.CompleteAsync(Given.Id("a"), token, TaskOutcome.Succeeded())).Verdict);
    }

    private static async Task<LeaseToken> LeaveAsync(RestartedPool pool, string id)
    {
        await pool.SubmitAsync(Given.Task(id, Given.Spec with { Kind = RestartedPool.LeftKind }));
        LeaseToken token = await pool.Left.Reader.ReadAsync(TestContext.Current.CancellationToken);
        while ((await pool.FindAsync(id)).Lease is null)
            await Task.Yield();
        return token;
    }

    private static async Task<(WorkerSession Worker, LeaseToken Token)> AssignAsync(RestartedPool pool)
    {
        (WorkerSession worker, WorkerStream stream) = await ConnectByAsync(pool, credit: 1);
        await pool.SubmitAsync(Given.Task("a", Spec));
        WorkerMail mail = (await worker.NextMailAsync(stream, TestContext.Current.CancellationToken))!;
        worker.Number(mail.Assignments);
        return (worker, Assert.Single(mail.Assignments).Token);
    }

    private static async Task<WorkerSession> ConnectAsync(RestartedPool pool, int credit) => (await ConnectByAsync(pool, credit)).Worker;

    private static async Task<(WorkerSession Worker, WorkerStream Stream)> ConnectByAsync(RestartedPool pool, int credit)
    {
        var hello = new WorkerHello("w", Given.Namespace, new HashSet<string> { Kind }, Slots: 4, new Dictionary<string, string>());
        WorkerStream stream = await pool.Pool.Workers.ConnectAsync(hello, resumeId: "unknown");
        if (credit > 0)
            stream.Session.AddCredit(credit);
        return (stream.Session, stream);
    }

    private static async Task ReportAsync(WorkerSession worker, long sequence, LeaseToken token) =>
        await worker.ReportAsync(sequence, [new LeaseReport("a", 1, token) { Outcome = TaskOutcome.Succeeded("done"u8.ToArray()) }]);
}
