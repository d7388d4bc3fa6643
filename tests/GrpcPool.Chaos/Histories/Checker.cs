using GrpcPool.V1;

namespace GrpcPool.Chaos.Histories;

/// <summary>
/// Compares what the clients know and what the handlers have done with what the server has recorded in the end, as Jepsen's checker of a total queue does: nothing
/// accepted is lost, nothing unexpected is there, and nothing has happened that the record does not explain.
/// </summary>
internal sealed class Checker(History history, Observer observer, HandlerRecord record, int deaths)
{
    private readonly List<string> _violations = [.. observer.Violations];

    /// <summary>What is wrong; empty where everything is as promised.</summary>
    /// <param name="tasks">All tasks as they are recorded, in the order of their submission.</param>
    public IReadOnlyList<string> Judge(IReadOnlyList<TaskInfo> tasks)
    {
        IReadOnlyDictionary<string, (int Starts, int Ends)> done = record.Read();
        HashSet<string> ids = [.. tasks.Select(static task => task.Id)];
        _violations.AddRange(history.Accepted.Where(id => !ids.Contains(id)).Select(static id => $"{id} was accepted and is lost"));
        _violations.AddRange(ids.Where(id => !history.Attempted.ContainsKey(id)).Select(static id => $"{id} was never submitted"));
        _violations.AddRange(done.Keys.Where(id => !ids.Contains(id)).Select(static id => $"{id} was started and is not recorded"));
        foreach (TaskInfo task in tasks)
        {
            JudgeEnd(task);
            JudgeStarts(task, done.GetValueOrDefault(task.Id));
        }

        foreach (IGrouping<string, TaskInfo> line in tasks.Where(static task => task.SerialKey.Length > 0).GroupBy(static task => task.SerialKey))
            JudgeLine([.. line]);
        return _violations;
    }

    private static bool IsAtMostOnce(TaskInfo task) => task.Labels.ContainsKey(Load.AtMostOnceLabel);

    /// <summary>Each task has ended once, and not as FAILED because of a crash, unless it was to run at most once.</summary>
    private void JudgeEnd(TaskInfo task)
    {
        bool mayFail = task.Kind == HandlerRecord.PoisonKind || IsAtMostOnce(task);
        Expect(task, task.State == TaskState.Succeeded || (mayFail && task is { State: TaskState.Failed, Failure.Code: FailureCode.LeaseLost }), $"ended as {task.State}: {task.Failure}");
        Expect(task, task.Attempts.Count(static attempt => attempt.Failure is null) == (task.State == TaskState.Succeeded ? 1 : 0), "did not end exactly once");
        Expect(task, observer.Tasks.TryGetValue(task.Id, out TaskInfo? told) && (told.State, told.Version) == (task.State, task.Version), "ended otherwise than the watch told");
    }

    /// <summary>Each start is in the record, and each but the last was lost.</summary>
    private void JudgeStarts(TaskInfo task, (int Starts, int Ends) done)
    {
        int lost = task.Attempts.Count(static attempt => attempt.Failure?.Code == FailureCode.LeaseLost);
        Expect(task, task.Losses == lost && lost <= deaths, $"counts {task.Losses} losses, its attempts {lost}, the servers {deaths}");
        Expect(task, task.Attempts.Count == lost + (task.State == TaskState.Succeeded ? 1 : 0), "was started more often than it was lost");
        Expect(task, done.Starts <= task.Attempts.Count, $"was started {done.Starts} times, of which {task.Attempts.Count} are recorded");
        if (IsAtMostOnce(task))
            Expect(task, task.Attempts.Count <= 1, "was started twice");
        if (task is { Kind: HandlerRecord.RecordKind, State: TaskState.Succeeded })
            Expect(task, done is { Starts: >= 1, Ends: >= 1 }, "succeeded without having run");
    }

    /// <summary>Of a serial key's tasks, each has ended before the next is started, in the order of the line.</summary>
    private void JudgeLine(TaskInfo[] line)
    {
        foreach ((TaskInfo before, TaskInfo after) in line.Zip(line.Skip(1)))
            Expect(after, before.FinishedAt.ToDateTime() <= after.Attempts[0].StartedAt.ToDateTime(), $"was started before the end of {before.Id}, which is before it in the line");
    }

    private void Expect(TaskInfo task, bool holds, string otherwise)
    {
        if (!holds)
            _violations.Add($"{task.Id} {otherwise}");
    }
}
