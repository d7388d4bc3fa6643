using GrpcPool.Core.Schedules;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

/// <summary>Schedules: what fires when, and that it is recorded with its task.</summary>
public abstract partial class TaskStoreConformance
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_due_time_fires_once_and_its_task_bears_it()
    {
        await Store.DoAsync(GivenSchedule.Create("s"));
        Assert.Equal(Given.Now + 10 * Minute, (await ScheduleAsync("s")).WakeAt);
        Assert.Empty((await Store.CommitAsync(GivenSchedule.Fire)).Changes);

        Store.Pass(10 * Minute);
        CommitResult fired = await Store.CommitAsync(GivenSchedule.Fire, GivenSchedule.Fire);
        Assert.Single(fired.Changes);
        Assert.Empty((await Store.CommitAsync(GivenSchedule.Fire)).Changes);
        TaskRecord task = await Store.GetAsync("s:20300101T121000Z");
        Assert.Equal((TaskState.Queued, "s"), (task.State, task.Spec.ScheduleId));
        ScheduleRecord schedule = await ScheduleAsync("s");
        Assert.Equal((1, 0, 0, 1), (schedule.Runs, schedule.Skipped, schedule.Missed, schedule.Version));
        Assert.Equal((Store.Now, task.Id.Value, Given.Now + 20 * Minute), (schedule.LastRunAt, schedule.LastTaskId, schedule.WakeAt));
        Assert.Equal(["s:20300101T121000Z"], (await Store.ScanAsync(new TaskFilter(Given.Namespace) { ScheduleId = "s" })).Select(static found => found.Id.Value));
        Assert.Empty(await Store.ScanAsync(new TaskFilter(Given.Namespace) { ScheduleId = "other" }));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_next_firing_is_when_the_clock_next_changes_something()
    {
        CommitResult created = await Store.CommitAsync(GivenSchedule.Create("s"));
        Assert.Equal(Given.Now + 10 * Minute, created.NextWake);
        Assert.Equal(Given.Now + Minute, (await Store.CommitAsync(Given.Insert(Given.Task("later") with { RunAt = Given.Now + Minute }))).NextWake);
        Assert.Null((await Store.CommitAsync(new DeleteSchedule(GivenSchedule.Id("s")), Given.Cancel("later"), new DeleteTask(Given.Id("later")))).NextWake);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_due_time_that_has_its_task_gets_no_second_one()
    {
        await Store.DoAsync(GivenSchedule.Create("s"));
        Store.Pass(10 * Minute);
        await Store.DoAsync(GivenSchedule.Fire);

        // The same due time comes again, as for a server that has not heard of the firing.
        await Store.DoAsync(new DeleteSchedule(GivenSchedule.Id("s")));
        Store.Pass(-Minute);
        await Store.DoAsync(GivenSchedule.Create("s"));
        Store.Pass(Minute);
        Assert.Empty((await Store.CommitAsync(GivenSchedule.Fire)).Changes);
        Assert.Equal((0, Given.Now + 20 * Minute), ((await ScheduleAsync("s")).Runs, (await ScheduleAsync("s")).WakeAt));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task An_id_that_somebody_else_has_taken_is_told_as_a_failure()
    {
        await Store.DoAsync(GivenSchedule.Create("s"));
        await Store.InsertAsync(Given.Task("s:20300101T121000Z"));
        Store.Pass(10 * Minute);
        await Store.DoAsync(GivenSchedule.Fire);
        ScheduleRecord schedule = await ScheduleAsync("s");
        Assert.Equal((0, 1), (schedule.Runs, schedule.Skipped));
        Assert.Contains("somebody else", schedule.LastFailure!.Message, StringComparison.Ordinal);
    }

    /// <summary>After two hours without anybody to fire, with due times each half hour of which the last is in time.</summary>
    [Theory(Timeout = TestMilliseconds)]
    [InlineData(OverlapPolicy.Skip, CatchUpPolicy.Skip, 1, 0, 3, 1)]
    [InlineData(OverlapPolicy.QueueOne, CatchUpPolicy.Skip, 1, 0, 3, 1)]
    [InlineData(OverlapPolicy.Allow, CatchUpPolicy.Skip, 1, 0, 3, 1)]
    [InlineData(OverlapPolicy.CancelRunning, CatchUpPolicy.Skip, 1, 0, 3, 1)]
    [InlineData(OverlapPolicy.Skip, CatchUpPolicy.One, 1, 1, 2, 1)]
    [InlineData(OverlapPolicy.QueueOne, CatchUpPolicy.One, 1, 0, 2, 2)]
    [InlineData(OverlapPolicy.Allow, CatchUpPolicy.One, 2, 0, 2, 2)]
    [InlineData(OverlapPolicy.CancelRunning, CatchUpPolicy.One, 2, 0, 2, 1)]
    [InlineData(OverlapPolicy.Skip, CatchUpPolicy.All, 1, 3, 0, 1)]
    [InlineData(OverlapPolicy.QueueOne, CatchUpPolicy.All, 1, 2, 0, 2)]
    [InlineData(OverlapPolicy.Allow, CatchUpPolicy.All, 4, 0, 0, 4)]
    [InlineData(OverlapPolicy.CancelRunning, CatchUpPolicy.All, 4, 0, 0, 1)]
    public async Task Overlap_and_catch_up_say_together_what_fires(OverlapPolicy overlap, CatchUpPolicy catchUp, long runs, long skipped, long missed, int succeed)
    {
        await Store.DoAsync(GivenSchedule.Create("s", GivenSchedule.Every(30 * Minute, overlap, catchUp)));
        Store.Pass(2 * Hour + Minute / 2);
        await Store.DoAsync(GivenSchedule.Fire);
        ScheduleRecord schedule = await ScheduleAsync("s");
        Assert.Equal((runs, skipped, missed), (schedule.Runs, schedule.Skipped, schedule.Missed));
        Assert.Equal(Given.Now + 2.5 * Hour, schedule.WakeAt);

        // What waits for the end of what runs comes then.
        int ended = 0;
        while ((await Store.ReadyAsync()) is [var ready, ..])
        {
            await Store.EndAsync(await Store.StartAsync(ready), Given.Success);
            ended++;
        }

        Assert.Equal(succeed, ended);
        Assert.Equal(4, missed + skipped + (await ScheduleAsync("s")).Runs);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task What_runs_is_asked_to_end_for_the_next()
    {
        await Store.DoAsync(GivenSchedule.Create("s", GivenSchedule.Every(Minute, OverlapPolicy.CancelRunning)));
        Store.Pass(Minute);
        await Store.DoAsync(GivenSchedule.Fire);
        TaskRecord first = await Store.StartAsync("s:20300101T120100Z");
        Store.Pass(Minute);
        await Store.DoAsync(GivenSchedule.Fire);
        Assert.Equal((TaskState.Running, Cancellation.Scheduler), ((await Store.GetAsync(first.Id.Value)).State, (await Store.GetAsync(first.Id.Value)).Cancellation!.By));
        Assert.Equal(["s:20300101T120200Z"], await Store.ReadyAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_fixed_delay_counts_from_the_end_with_all_retries()
    {
        ScheduleSpec spec = GivenSchedule.After(Minute);
        await Store.DoAsync(GivenSchedule.Create("s", spec with { Task = spec.Task with { Retry = Given.ThreeAttempts } }));
        Store.Pass(Minute);
        await Store.DoAsync(GivenSchedule.Fire);
        Assert.Null((await ScheduleAsync("s")).WakeAt);
        string id = (await ScheduleAsync("s")).LastTaskId;
        await Store.EndAsync(await Store.StartAsync(id), Given.RetryableFailure);
        Assert.Null((await ScheduleAsync("s")).WakeAt);
        Store.Pass(5 * Minute);
        await Store.WakeAsync();
        await Store.EndAsync(await Store.StartAsync(id), Given.FinalFailure);
        ScheduleRecord schedule = await ScheduleAsync("s");
        Assert.Equal(Store.Now + Minute, schedule.WakeAt);
        Assert.Equal((id, "never mind"), (schedule.LastFailure!.TaskId, schedule.LastFailure.Message));

        // It never counts as late.
        Store.Pass(TimeSpan.FromDays(400));
        await Store.DoAsync(GivenSchedule.Fire);
        Assert.Equal((2, 0), ((await ScheduleAsync("s")).Runs, (await ScheduleAsync("s")).Missed));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_full_queue_skips_a_due_time_and_tells_so()
    {
        await Store.DoAsync(GivenSchedule.Create("a", GivenSchedule.Every(Minute)));
        await Store.DoAsync(GivenSchedule.Create("b", GivenSchedule.Every(Minute)));
        Store.Pass(Minute);
        CommitResult fired = await Store.CommitAsync(GivenSchedule.Fire with { Room = static _ => 1 });
        Assert.Single(fired.Changes);
        ScheduleRecord b = await ScheduleAsync("b");
        Assert.Equal((0, 1, "the queue 'default' or the pool was full"), (b.Runs, b.Skipped, b.LastFailure!.Message));
        Assert.Equal(Given.Now + 2 * Minute, b.WakeAt);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_schedule_ends_after_its_last_run_and_at_its_end()
    {
        await Store.DoAsync(GivenSchedule.Create("runs", GivenSchedule.Every(Minute, OverlapPolicy.Allow) with { MaxRuns = 2 }));
        await Store.DoAsync(GivenSchedule.Create("end", GivenSchedule.Every(Minute, OverlapPolicy.Allow) with { EndAt = Given.Now + 3 * Minute }));
        await Store.DoAsync(GivenSchedule.Create("start", GivenSchedule.Every(Minute, OverlapPolicy.Allow) with { StartAt = Given.Now + 3.5 * Minute }));
        for (int i = 0; i < 5; i++)
        {
            Store.Pass(Minute);
            await Store.DoAsync(GivenSchedule.Fire);
        }

        Assert.Equal((2, null), ((await ScheduleAsync("runs")).Runs, (await ScheduleAsync("runs")).WakeAt));
        Assert.Equal((3, null), ((await ScheduleAsync("end")).Runs, (await ScheduleAsync("end")).WakeAt));
        Assert.Equal((2, Given.Now + 5.5 * Minute), ((await ScheduleAsync("start")).Runs, (await ScheduleAsync("start")).WakeAt));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_paused_schedule_is_silent_and_goes_on_with_its_next_due_time()
    {
        await Store.DoAsync(GivenSchedule.Create("s"));
        Assert.Null((await Store.DoAsync(new PauseSchedule(GivenSchedule.Id("s"), Paused: true))).Schedule!.WakeAt);
        Store.Pass(25 * Minute);
        Assert.Empty((await Store.CommitAsync(GivenSchedule.Fire)).Changes);
        ScheduleRecord resumed = (await Store.DoAsync(new PauseSchedule(GivenSchedule.Id("s"), Paused: false))).Schedule!;
        Assert.Equal((3, 0, Given.Now + 30 * Minute), (resumed.Version, resumed.Missed, resumed.WakeAt));
        Assert.Equal(3, (await Store.DoAsync(new PauseSchedule(GivenSchedule.Id("s"), Paused: false))).Schedule!.Version);
        Assert.Equal(Verdict.NotFound, (await Store.DoAsync(new PauseSchedule(GivenSchedule.Id("unknown"), Paused: true))).Verdict);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task An_update_needs_the_version_that_was_read()
    {
        await Store.DoAsync(GivenSchedule.Create("s", GivenSchedule.Every(10 * Minute)));
        Store.Pass(4 * Minute);
        ScheduleSpec busier = GivenSchedule.Every(10 * Minute, OverlapPolicy.Allow);
        Assert.Equal(Verdict.Conflict, (await Store.DoAsync(new UpdateSchedule(GivenSchedule.Id("s"), busier, Paused: false, Version: 2))).Verdict);
        ScheduleRecord updated = (await Store.DoAsync(new UpdateSchedule(GivenSchedule.Id("s"), busier, Paused: false, Version: 1))).Schedule!;
        Assert.Equal((2, OverlapPolicy.Allow, Given.Now + 10 * Minute), (updated.Version, updated.Spec.Overlap, updated.WakeAt));
        ScheduleRecord moved = (await Store.DoAsync(new UpdateSchedule(GivenSchedule.Id("s"), GivenSchedule.Every(7 * Minute), Paused: false, Version: 2))).Schedule!;
        Assert.Equal(Store.Now + 7 * Minute, moved.WakeAt);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Its_tasks_are_those_of_whoever_made_it_or_last_changed_it()
    {
        ScheduleSpec spec = GivenSchedule.Every(10 * Minute, OverlapPolicy.Allow) with { Task = Given.Spec };
        await Store.DoAsync(GivenSchedule.Create("s", spec) with { By = "maker" });
        await Store.DoAsync(new PauseSchedule(GivenSchedule.Id("s"), Paused: false));
        Assert.Equal("maker", await FiredForAsync("s:20300101T121000Z"));
        await Store.DoAsync(new UpdateSchedule(GivenSchedule.Id("s"), spec, Paused: false, Version: 1) { By = "editor" });
        Assert.Equal("editor", await FiredForAsync("s:20300101T122000Z"));
        await ReconcileAsync(("s", spec));
        Assert.Equal("", await FiredForAsync("s:20300101T123000Z"));

        async Task<string> FiredForAsync(string id)
        {
            if (Reopen(Store.Store) is { } next)
                await Store.ReopenAsync(next);
            Store.Pass(10 * Minute);
            await Store.DoAsync(GivenSchedule.Fire);
            return (await Store.GetAsync(id)).SubmittedBy;
        }
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task The_same_schedule_twice_is_one_and_their_number_is_bounded()
    {
        Assert.Equal(Verdict.Done, (await Store.DoAsync(GivenSchedule.Create("s", max: 1))).Verdict);
        Assert.Equal(Verdict.Existing, (await Store.DoAsync(GivenSchedule.Create("s", max: 1))).Verdict);
        Assert.Equal(Verdict.Conflict, (await Store.DoAsync(GivenSchedule.Create("s", GivenSchedule.Every(Hour), max: 1))).Verdict);
        Assert.Equal(Verdict.Full, (await Store.DoAsync(GivenSchedule.Create("t", max: 1))).Verdict);
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Schedules_are_read_in_the_order_of_their_ids()
    {
        foreach (string id in (string[])["b", "a", "Z", "c"])
            await Store.DoAsync(GivenSchedule.Create(id));
        await Store.DoAsync(new CreateSchedule(new ScheduleId("elsewhere", "b2"), GivenSchedule.Spec, Paused: false, Max: 100));
        SchedulePage first = await Store.Store.ReadSchedulesAsync(Given.Namespace, "", 3);
        Assert.Equal(["Z", "a", "b"], first.Schedules.Select(static schedule => schedule.Id.Value));
        SchedulePage second = await Store.Store.ReadSchedulesAsync(Given.Namespace, "b", 3);
        Assert.Equal(["c"], second.Schedules.Select(static schedule => schedule.Id.Value));
        Assert.Equal((true, false), (first.More, second.More));
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task Settings_speak_when_they_change_and_not_before()
    {
        await ReconcileAsync(("a", GivenSchedule.Spec), ("b", GivenSchedule.Spec));
        await Store.DoAsync(GivenSchedule.Create("own"));
        await Store.DoAsync(new DeleteSchedule(GivenSchedule.Id("a")));
        await Store.DoAsync(new UpdateSchedule(GivenSchedule.Id("b"), GivenSchedule.Every(Hour), Paused: true, Version: 1));

        // The same settings again: what people did meanwhile stands.
        await ReconcileAsync(("a", GivenSchedule.Spec), ("b", GivenSchedule.Spec));
        Assert.Equal(["b", "own"], await SchedulesAsync());
        Assert.Equal((2, true), ((await ScheduleAsync("b")).Version, (await ScheduleAsync("b")).Paused));

        // Other settings: they say what is, but what is paused stays so.
        await ReconcileAsync(("a", GivenSchedule.Every(Minute)), ("b", GivenSchedule.Every(Minute)));
        Assert.Equal(["a", "b", "own"], await SchedulesAsync());
        Assert.Equal((3, true, new Timetable.FixedRate(Minute)), ((await ScheduleAsync("b")).Version, (await ScheduleAsync("b")).Paused, (await ScheduleAsync("b")).Spec.Timetable));

        // What they no longer name goes, and what they never named stays.
        await ReconcileAsync();
        Assert.Equal(["own"], await SchedulesAsync());
    }

    [Fact(Timeout = TestMilliseconds)]
    public async Task A_deleted_schedule_is_gone_for_good_and_its_tasks_stay()
    {
        await Store.DoAsync(GivenSchedule.Create("s", GivenSchedule.Every(Minute)));
        Store.Pass(Minute);
        await Store.DoAsync(GivenSchedule.Fire);
        Assert.Equal(Verdict.Done, (await Store.DoAsync(new DeleteSchedule(GivenSchedule.Id("s")))).Verdict);
        Assert.Equal(Verdict.NotFound, (await Store.DoAsync(new DeleteSchedule(GivenSchedule.Id("s")))).Verdict);
        Store.Pass(Hour);
        Assert.Empty((await Store.CommitAsync(GivenSchedule.Fire)).Changes);
        await Store.EndAsync(await Store.StartAsync("s:20300101T120100Z"), Given.Success);
        Assert.Null(await Store.Store.FindScheduleAsync(GivenSchedule.Id("s")));
    }

    private async Task<ScheduleRecord> ScheduleAsync(string id) => (await Store.Store.FindScheduleAsync(GivenSchedule.Id(id)))!;

    private async Task<string[]> SchedulesAsync() => [.. (await Store.Store.ReadSchedulesAsync(Given.Namespace, "", 100)).Schedules.Select(static schedule => schedule.Id.Value)];

    private Task<CommandOutcome> ReconcileAsync(params (string Id, ScheduleSpec Spec)[] named) =>
        Store.DoAsync(new ReconcileSchedules(named.ToDictionary(static schedule => GivenSchedule.Id(schedule.Id), static schedule => schedule.Spec)));
}
