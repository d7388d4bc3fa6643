using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Core.Tests.Tasks;

public sealed class TaskTransitionsTests
{
    private static readonly TaskSpec Persistent = Given.Spec with { Retry = Given.ThreeAttempts };
    private static readonly Cancellation Cancellation = new("enough", "tester", Given.Now);

    private static readonly Dictionary<string, AttemptEnding> Endings = new()
    {
        ["success"] = Given.Success,
        ["retryable"] = Given.RetryableFailure,
        ["rate limited"] = Given.RateLimited,
        ["final"] = Given.FinalFailure,
        ["loss"] = Given.Loss,
        ["released"] = Given.ReleasedUnrun,
        ["released late"] = Given.ReleasedAfterItBegan,
    };

    private long _revision = 100;

    [Fact]
    public void A_new_task_is_queued_or_scheduled()
    {
        TaskRecord queued = Queued();
        Assert.Equal((TaskState.Queued, 1L, Given.Now, Given.Now), (queued.State, queued.Version, queued.RunAt, queued.DueAt));
        TaskRecord scheduled = Submit(Given.Spec, runAt: 1);
        Assert.Equal((TaskState.Scheduled, 1L, At(1), null), (scheduled.State, scheduled.Version, scheduled.RunAt, scheduled.DueAt));
        Assert.Equal(TaskState.Queued, Submit(Given.Spec, runAt: 0).State);
    }

    [Fact]
    public void A_task_started_on_insertion_has_its_first_version()
    {
        TaskRecord running = SubmitStarting(runAt: null);
        Assert.Equal((TaskState.Running, 1L, 1, running.Revision, Given.Now), (running.State, running.Version, running.Attempt, running.Claim, running.StartedAt));
    }

    [Fact]
    public void A_task_that_is_not_ready_is_not_started_on_insertion()
    {
        Assert.Equal((TaskState.Scheduled, 0L), (SubmitStarting(runAt: 1).State, SubmitStarting(runAt: 1).Claim));
        TaskRecord blocked = SubmitStarting(runAt: null, lineTaken: true);
        Assert.Equal((TaskState.Queued, true, 0L, null), (blocked.State, blocked.Blocked, blocked.Claim, blocked.StartedAt));
    }

    [Fact]
    public void A_start_takes_a_claim_of_its_own_and_forgets_the_last_failure()
    {
        TaskRecord first = Running(Persistent);
        TaskRecord second = Start(Woken(End(first, Given.RetryableFailure), after: 1));
        Assert.Equal((1, 2), (first.Attempt, second.Attempt));
        Assert.True(second.Claim > first.Claim && second.Claim == second.Revision);
        Assert.Null(second.Failure);
    }

    [Theory]
    [InlineData("success", 5)]
    [InlineData("retryable", 4)]
    [InlineData("rate limited", 4)]
    [InlineData("final", 6)]
    [InlineData("loss", 4)]
    [InlineData("released", 2)]
    [InlineData("released late", 2)]
    public void An_attempt_ends(string ending, int state)
    {
        TaskRecord running = Running(Persistent);
        TaskRecord ended = End(running, Endings[ending]);
        Assert.Equal(((TaskState)state, running.Version + 1, 0L), (ended.State, ended.Version, ended.Claim));
        Assert.Equal(ended.State.IsFinal(), ended.FinishedAt is not null);
        Assert.Equal(ended.State.IsFinal(), ended.ExpiresAt == Given.Now + Given.Spec.Retention);
    }

    [Theory]
    [InlineData("success", 5)]
    [InlineData("retryable", 7)]
    [InlineData("rate limited", 7)]
    [InlineData("final", 7)]
    [InlineData("loss", 7)]
    [InlineData("released", 7)]
    [InlineData("released late", 7)]
    public void After_a_cancellation_was_asked_for_every_ending_but_success_is_cancelled(string ending, int state)
    {
        TaskRecord ended = End(TaskTransitions.Cancel(Running(Persistent), Cancellation, Stamp()), Endings[ending]);
        Assert.Equal(((TaskState)state, null, Cancellation), (ended.State, ended.Failure, ended.Cancellation));
    }

    [Fact]
    public void Attempts_end_with_the_last_that_may_fail()
    {
        TaskRecord task = Running(Persistent);
        task = Start(Woken(End(task, Given.RetryableFailure), after: 1));
        task = End(task, Given.RetryableFailure);
        Assert.Equal((TaskState.Retrying, At(2)), (task.State, task.RunAt));
        task = End(Start(Woken(task, after: 2)), Given.RetryableFailure);
        Assert.Equal((TaskState.Failed, 3, 3), (task.State, task.Attempt, task.Failures));
    }

    [Fact]
    public void A_failure_that_asks_for_a_pause_is_tried_again_no_earlier()
    {
        TaskRecord task = End(Running(Persistent), Given.RateLimited);
        Assert.Equal((TaskState.Retrying, At(3), 1), (task.State, task.RunAt, task.Failures));
        Assert.Equal(TaskState.Failed, End(Running(), Given.RateLimited).State);
    }

    [Fact]
    public void By_default_a_failure_is_final() => Assert.Equal(TaskState.Failed, End(Running(), Given.RetryableFailure).State);

    [Fact]
    public void A_loss_counts_by_itself_and_waits_for_the_first_pause()
    {
        TaskRecord task = End(Running(Persistent), Given.RetryableFailure);
        task = End(Start(Woken(task, after: 1)), Given.Loss);
        Assert.Equal((TaskState.Retrying, 1, 1, 2, At(1)), (task.State, task.Losses, task.Failures, task.Attempt, task.RunAt));
        Assert.Equal(2, Start(Woken(task, after: 1)).Attempt);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void A_task_that_loses_its_host_is_started_once_more_than_it_may_be_lost(int maxLosses)
    {
        TaskRecord task = Queued(Given.Spec with { Retry = new RetryPolicy { MaxLosses = maxLosses, Jitter = 0 } });
        int starts = 0;
        for (; !task.State.IsFinal(); starts++)
        {
            task = End(Start(task), Given.Loss);
            task = task.State == TaskState.Retrying ? Woken(task, after: 1) : task;
        }

        Assert.Equal(maxLosses + 1, starts);
        Assert.Equal((TaskState.Failed, FailureCode.LeaseLost), (task.State, task.Failure!.Code));
    }

    [Fact]
    public void At_most_once_means_no_release_after_the_handler_began()
    {
        TaskSpec once = Given.Spec with { Retry = new RetryPolicy { MaxLosses = 0 } };
        TaskRecord began = End(Running(once), Given.ReleasedAfterItBegan);
        Assert.Equal((TaskState.Failed, FailureCode.LeaseLost), (began.State, began.Failure!.Code));
        Assert.Equal(TaskState.Queued, End(Running(once), Given.ReleasedUnrun).State);
    }

    [Fact]
    public void A_release_uses_no_attempt_and_is_due_as_before()
    {
        TaskRecord running = Running();
        TaskRecord released = End(running, Given.ReleasedAfterItBegan, after: 5);
        Assert.Equal((TaskState.Queued, 1, 0, 0), (released.State, released.Attempt, released.Failures, released.Losses));
        Assert.Equal((running.RunAt, running.DueAt), (released.RunAt, released.DueAt));
        Assert.Equal(1, Start(released).Attempt);
    }

    [Theory]
    [InlineData("scheduled")]
    [InlineData("queued")]
    [InlineData("retrying")]
    public void What_waits_is_cancelled_at_once(string waiting)
    {
        TaskRecord task = waiting switch
        {
            "scheduled" => Submit(Given.Spec, runAt: 1),
            "queued" => Queued(),
            _ => End(Running(Persistent), Given.RetryableFailure),
        };
        TaskRecord cancelled = TaskTransitions.Cancel(task, Cancellation, Stamp());
        Assert.Equal((TaskState.Cancelled, task.Version + 1, Cancellation), (cancelled.State, cancelled.Version, cancelled.Cancellation));
    }

    [Fact]
    public void A_running_task_is_marked_and_the_first_wish_counts()
    {
        TaskRecord running = Running();
        TaskRecord marked = TaskTransitions.Cancel(running, Cancellation, Stamp());
        Assert.Equal((TaskState.Running, running.Claim, Cancellation), (marked.State, marked.Claim, marked.Cancellation));
        Assert.Equal(Cancellation, TaskTransitions.Cancel(marked, new Cancellation("again", "", Given.Now), Stamp()).Cancellation);
    }

    [Fact]
    public void The_clock_moves_what_waits()
    {
        Assert.Equal((TaskState.Queued, At(1)), Woken(Submit(Given.Spec, runAt: 1), after: 1) switch { var due => (due.State, due.DueAt!.Value) });
        Assert.Equal(TaskState.Queued, Woken(End(Running(Persistent), Given.RetryableFailure), after: 1).State);
        Assert.Equal(TaskState.Expired, Woken(Queued(Given.Spec with { StartTimeout = TimeSpan.FromSeconds(1) }), after: 1).State);
        TaskSpec limited = Persistent with { TotalTimeout = TimeSpan.FromSeconds(1) };
        TaskRecord[] late = [Woken(Queued(limited), after: 1), Woken(End(Running(limited), Given.RetryableFailure), after: 1)];
        Assert.All(late, task => Assert.Equal((TaskState.Failed, FailureCode.Timeout, false), (task.State, task.Failure!.Code, task.Failure.Retryable)));
    }

    [Fact]
    public void The_start_timeout_ends_with_the_first_start()
    {
        TaskSpec hurried = Given.Spec with { StartTimeout = TimeSpan.FromSeconds(1) };
        Assert.Equal(At(1), Queued(hurried).WakeAt);
        Assert.Null(End(Running(hurried), Given.ReleasedUnrun).WakeAt);
    }

    [Fact]
    public void Timeouts_count_from_when_a_task_first_became_due()
    {
        TaskSpec limited = Persistent with { TotalTimeout = TimeSpan.FromSeconds(10) };
        TaskRecord due = Woken(Submit(limited, runAt: 5), after: 5);
        Assert.Equal(At(15), due.TotalDeadline);
        Assert.Equal(At(15), Woken(End(Start(due), Given.RetryableFailure, after: 6), after: 7).TotalDeadline);
    }

    [Fact]
    public void Run_again_a_task_is_as_if_new_but_for_its_history()
    {
        TaskRecord failed = End(End(Running(Persistent), Given.Loss) switch { var lost => Start(Woken(lost, after: 1)) }, Given.FinalFailure);
        TaskRecord again = TaskTransitions.Retry(failed, Stamp(after: 60));
        Assert.Equal((TaskState.Queued, failed.Version + 1, 0, 0, 0), (again.State, again.Version, again.Attempt, again.Failures, again.Losses));
        Assert.Equal((At(60), At(60)), (again.RunAt, again.DueAt!.Value));
        Assert.True(again is { StartedAt: null, FinishedAt: null, ExpiresAt: null, Failure: null, Cancellation: null, Worker: "" });
        Assert.Equal(failed.Attempts, again.Attempts);
    }

    [Theory]
    [InlineData(5, false)]
    [InlineData(6, true)]
    [InlineData(7, true)]
    [InlineData(8, true)]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(4, false)]
    public void Only_what_ended_without_success_may_run_again(int state, bool can) =>
        Assert.Equal(can, TaskTransitions.CanRetry(Queued() with { State = (TaskState)state }));

    [Fact]
    public void A_task_with_a_serial_key_keeps_its_place_until_it_is_final()
    {
        TaskSpec serial = Persistent with { SerialKey = "key" };
        Assert.Equal(0, Submit(serial, runAt: 1).Line);
        TaskRecord task = Queued(serial);
        long place = task.Line;
        Assert.Equal(task.Revision, place);
        task = End(Start(task), Given.RetryableFailure);
        Assert.Equal(place, task.Line);
        task = End(Start(Woken(task, after: 1)), Given.ReleasedUnrun);
        Assert.Equal(place, task.Line);
        TaskRecord failed = End(Start(task), Given.FinalFailure);
        Assert.Equal(0, failed.Line);
        TaskRecord again = TaskTransitions.Retry(failed, Stamp());
        Assert.Equal(again.Revision, again.Line);
    }

    [Fact]
    public void The_history_keeps_the_newest_attempts_and_their_failures()
    {
        TaskRecord task = Queued(Given.Spec with { Retry = Given.ThreeAttempts with { MaxAttempts = 100 } });
        for (int i = 0; i < TaskRecord.AttemptsMax + 5; i++)
            task = Woken(End(Start(task), Given.RetryableFailure), after: 1000);
        Assert.Equal(Enumerable.Range(6, TaskRecord.AttemptsMax), task.Attempts.Select(attempt => attempt.Number));
        Assert.All(task.Attempts, attempt => Assert.Equal(("try again", "w"), (attempt.Failure!.Message, attempt.Worker)));
    }

    [Fact]
    public void The_newest_progress_is_stored_with_the_ending()
    {
        var progress = new TaskProgress(0.5, "half", Given.Now);
        Assert.Equal(progress, End(Running(), Given.FinalFailure with { Progress = progress }).Progress);
        Assert.Null(Start(End(Running(), Given.ReleasedUnrun with { Progress = progress })).Progress);
    }

    [Fact]
    public void A_task_that_is_woken_late_counts_its_timeouts_from_when_it_was_to_run()
    {
        TaskRecord late = Woken(Submit(Given.Spec with { StartTimeout = TimeSpan.FromSeconds(5) }, runAt: 1), after: 100);
        Assert.Equal((At(1), At(6)), (late.DueAt, late.WakeAt));
        Assert.Equal(TaskState.Expired, Woken(late, after: 100).State);
    }

    [Fact]
    public void The_pause_after_a_loss_is_exactly_the_initial_backoff()
    {
        RetryPolicy policy = new() { InitialBackoff = TimeSpan.FromSeconds(3), Jitter = 1 };
        Assert.Equal(At(3), End(Running(Given.Spec with { Retry = policy }), Given.Loss).RunAt);
    }

    [Fact]
    public void A_release_that_may_not_be_started_again_is_told_as_lost()
    {
        TaskRecord failed = End(Running(Given.Spec with { Retry = new RetryPolicy { MaxLosses = 0 } }), Given.ReleasedAfterItBegan);
        Assert.Equal((FailureCode.LeaseLost, FailureCode.LeaseLost), (failed.Failure!.Code, failed.Attempts.Single().Failure!.Code));
    }

    private static DateTimeOffset At(double seconds) => Given.Now.AddSeconds(seconds);

    private Stamp Stamp(double after = 0) => new(++_revision, At(after));

    private TaskRecord Submit(TaskSpec spec, double? runAt = null) =>
        TaskTransitions.Submit(Given.Id("a"), spec, null, "", runAt is { } seconds ? At(seconds) : null, Stamp());

    private TaskRecord SubmitStarting(double? runAt, bool lineTaken = false) => TaskTransitions.Submit(
        Given.Id("a"), Given.Spec with { SerialKey = "k" }, null, "", runAt is { } seconds ? At(seconds) : null, Stamp(), lineTaken, new AttemptStart());

    private TaskRecord Queued(TaskSpec? spec = null) => Submit(spec ?? Given.Spec);

    private TaskRecord Running(TaskSpec? spec = null) => Start(Queued(spec));

    private TaskRecord Start(TaskRecord task) => TaskTransitions.Start(task, new AttemptStart("w"), Stamp());

    private TaskRecord End(TaskRecord task, AttemptEnding ending, double after = 0) => TaskTransitions.End(task, ending, Stamp(after));

    private TaskRecord Woken(TaskRecord task, double after) => TaskTransitions.Wake(task, Stamp(after));
}
