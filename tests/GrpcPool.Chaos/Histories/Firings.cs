using System.Globalization;
using GrpcPool.V1;

namespace GrpcPool.Chaos.Histories;

/// <summary>
/// Compares what a schedule counts, and when it should have fired, with its tasks: no due time has two, none is left out but by a policy, and each run is a task.
/// </summary>
/// <param name="schedule">The schedule at its end. Its timetable begins with <c>start_at</c>; a cron is one of each second.</param>
/// <param name="tasks">Its tasks, in the order of their submission.</param>
internal sealed class Firings(Schedule schedule, IReadOnlyList<TaskInfo> tasks)
{
    private static readonly string[] Forms = ["yyyyMMdd'T'HHmmss'Z'", "yyyyMMdd'T'HHmmss'.'fffffff'Z'"];

    private readonly List<string> _violations = [];

    /// <summary>When it is due; nothing is known beforehand of a fixed delay, nor of one that is triggered by hand.</summary>
    public static IReadOnlyList<DateTimeOffset> DueTimes(Schedule schedule)
    {
        if (schedule.Paused || schedule.TimetableCase == Schedule.TimetableOneofCase.FixedDelay)
            return [];
        TimeSpan period = schedule.FixedRate?.ToTimeSpan() ?? TimeSpan.FromSeconds(1);
        var times = new List<DateTimeOffset>();
        for (DateTimeOffset due = schedule.StartAt.ToDateTimeOffset(); due <= schedule.EndAt.ToDateTimeOffset(); due += period)
            times.Add(due);
        return times;
    }

    /// <summary>The task of a due time.</summary>
    public static string IdOf(Schedule schedule, DateTimeOffset due) => $"{schedule.Id}:{due.UtcDateTime.ToString(Forms[due.Millisecond == 0 ? 0 : 1], CultureInfo.InvariantCulture)}";

    /// <summary>Whether each of its due times has a task, whatever else of it runs.</summary>
    public static bool FiresAlways(Schedule schedule) => schedule.Overlap is OverlapPolicy.Allow or OverlapPolicy.CancelRunning;

    /// <summary>What is wrong; empty where everything is as promised.</summary>
    public IReadOnlyList<string> Judge()
    {
        IReadOnlyList<DateTimeOffset> due = DueTimes(schedule);
        (TaskInfo Task, DateTimeOffset Due)[] fired = [.. tasks.Select(static task => (task, DueOf(task))).Where(static task => task.Item2 is not null).Select(static task => (task.task, task.Item2!.Value))];
        Expect(schedule.NextRunAt is null, $"is due again at {schedule.NextRunAt}");
        Expect(schedule.Runs == tasks.Count, $"counts {schedule.Runs} runs and has {tasks.Count} tasks");
        Expect(tasks.Count == 0 || schedule.LastTaskId == tasks[^1].Id, $"has {schedule.LastTaskId} as its last task");
        foreach (IGrouping<DateTimeOffset, string> twice in fired.GroupBy(static task => task.Due, static task => task.Task.Id).Where(static same => same.Count() > 1))
            Expect(false, $"fired {twice.Count()} times for {twice.Key:O}");
        foreach ((TaskInfo task, DateTimeOffset at) in fired)
            Expect(task.SubmittedAt.ToDateTimeOffset() >= at, $"fired too early: {task.Id} at {task.SubmittedAt}");
        foreach (TaskInfo task in tasks)
            Expect(task.State == TaskState.Succeeded || (schedule.Overlap == OverlapPolicy.CancelRunning && task.State == TaskState.Cancelled), $"has a task that ended as {task.State}: {task.Id}");
        if (schedule.TimetableCase == Schedule.TimetableOneofCase.FixedDelay)
            JudgeDelays(fired);
        else
            JudgeTimes(due, [.. fired.Select(static task => task.Due)]);
        return _violations;
    }

    private void JudgeTimes(IReadOnlyList<DateTimeOffset> due, HashSet<DateTimeOffset> fired)
    {
        Expect(fired.IsSubsetOf(due), $"fired when it was not due: {string.Join(", ", fired.Except(due))}");
        Expect(schedule.Missed == 0, $"counts {schedule.Missed} missed");
        if (FiresAlways(schedule))
            Expect(fired.IsSupersetOf(due), $"did not fire for {string.Join(", ", due.Except(fired))}");
        Expect(fired.Count + schedule.Skipped == due.Count, $"was due {due.Count} times, fired for {fired.Count} and counts {schedule.Skipped} skipped");
    }

    /// <summary>The end of each run makes the next due time, and it fires.</summary>
    private void JudgeDelays((TaskInfo Task, DateTimeOffset Due)[] fired)
    {
        TimeSpan pause = schedule.FixedDelay.ToTimeSpan();
        foreach (((TaskInfo before, _), (TaskInfo after, DateTimeOffset due)) in fired.Zip(fired.Skip(1)))
            Expect(due == before.FinishedAt.ToDateTimeOffset() + pause, $"fired {after.Id} after {before.Id} had ended at {before.FinishedAt}");
        Expect(fired.Length > 0 && fired[^1].Task.FinishedAt.ToDateTimeOffset() + pause > schedule.EndAt.ToDateTimeOffset(), "ended before its end");
    }

    /// <summary>The due time that an id tells; none of a task that was triggered by hand.</summary>
    private static DateTimeOffset? DueOf(TaskInfo task) =>
        DateTimeOffset.TryParseExact(task.Id[(task.ScheduleId.Length + 1)..], Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset due) ? due : null;

    private void Expect(bool holds, string otherwise)
    {
        if (!holds)
            _violations.Add($"{schedule.Id} {otherwise}");
    }
}
