using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Schedules;

/// <summary>Everything that can be asked of the pool about schedules. Thread-safe.</summary>
internal sealed class ScheduleBook(TaskPool pool, IScheduleStore store)
{
    /// <summary>How many times <see cref="Upcoming"/> is asked for at most.</summary>
    public const int UpcomingMax = 1000;

    /// <summary>What the settings name, in the namespace of those who do not name one.</summary>
    public static ReconcileSchedules FromSettings(GrpcPoolOptions options) =>
        new(options.Schedules.ToDictionary(static named => new ScheduleId(GrpcPoolOptions.DefaultNamespace, named.Key), named => named.Value.ToSpec(options)));

    public ValueTask<ScheduleRecord?> FindAsync(ScheduleId id) => store.FindScheduleAsync(id);

    public ValueTask<SchedulePage> ReadAsync(string @namespace, string after, int limit) => store.ReadSchedulesAsync(@namespace, after, limit);

    public Task<CommandOutcome> CreateAsync(ScheduleId id, ScheduleSpec spec, bool paused, string by) =>
        CommitAsync(new CreateSchedule(id, spec, paused, pool.Options.Limits.Schedules) { By = by });

    public Task<CommandOutcome> UpdateAsync(ScheduleId id, ScheduleSpec spec, bool paused, long version, string by) => CommitAsync(new UpdateSchedule(id, spec, paused, version) { By = by });

    public Task<CommandOutcome> PauseAsync(ScheduleId id, bool paused) => CommitAsync(new PauseSchedule(id, paused));

    /// <summary>Forgets a schedule: it fires no more. Its tasks stay, unless they shall be cancelled; what runs has the usual grace.</summary>
    /// <returns>What became of it, and how many tasks were cancelled.</returns>
    public async Task<(CommandOutcome Outcome, long Cancelled)> DeleteAsync(ScheduleId id, bool cancelTasks, string by, TimeSpan forceAfter, CancellationToken cancellation)
    {
        CommandOutcome outcome = await CommitAsync(new DeleteSchedule(id)).ConfigureAwait(false);
        if (outcome.Verdict != Verdict.Done || !cancelTasks)
            return (outcome, 0);
        var filter = new TaskFilter(id.Namespace) { ScheduleId = id.Value, States = [TaskState.Scheduled, TaskState.Queued, TaskState.Running, TaskState.Retrying] };
        return (outcome, await pool.ForEachAsync(
            filter, static task => task.Cancellation is null, task => pool.CancelAsync(task.Id, "schedule deleted", by, forceAfter), cancellation).ConfigureAwait(false));
    }

    /// <summary>A task of the schedule for now, whatever else runs, and also while it is paused.</summary>
    public NewTask TaskForNow(ScheduleRecord schedule, string by) => schedule.NewTask(schedule.Id.NewTask(pool.Time.GetUtcNow()), by);

    /// <summary>The next times at which a schedule fires, as things stand.</summary>
    public static IReadOnlyList<DateTimeOffset> Upcoming(ScheduleRecord schedule, int count)
    {
        var times = new List<DateTimeOffset>();
        long runsLeft = schedule.Spec.MaxRuns > 0 ? schedule.Spec.MaxRuns - schedule.Runs : long.MaxValue;
        for (ScheduleRecord at = schedule; at.WakeAt is { } next && times.Count < Math.Min(count, runsLeft); at = ScheduleChanges.Advance(at))
            times.Add(next);
        return times;
    }

    private Task<CommandOutcome> CommitAsync(ScheduleCommand command) => pool.Committer.CommitAsync(command);
}
