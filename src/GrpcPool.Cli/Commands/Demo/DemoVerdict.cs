using GrpcPool.V1;

namespace GrpcPool.Cli.Commands.Demo;

/// <summary>Compares how the tasks ended with how they should have.</summary>
internal static class DemoVerdict
{
    /// <summary>What is wrong, by task; empty when all is as it should be.</summary>
    public static IReadOnlyDictionary<string, string> Judge(IReadOnlyList<DemoTask> tasks, IReadOnlyDictionary<string, TaskInfo> infos)
    {
        var complaints = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DemoTask task in tasks)
        {
            if ((infos.TryGetValue(task.Id, out TaskInfo? info) ? task.Complaint(info) : "it is gone") is { } complaint)
                complaints.TryAdd(task.Id, complaint);
        }

        foreach (IGrouping<string, DemoTask> line in tasks.Where(task => task.Spec.SerialKey.Length > 0).GroupBy(task => task.Spec.SerialKey))
            JudgeLine(line.Select(task => infos.GetValueOrDefault(task.Id)).OfType<TaskInfo>(), complaints);
        return complaints;
    }

    /// <summary>Tasks of one serial key run one after the other, in the order of their submission.</summary>
    private static void JudgeLine(IEnumerable<TaskInfo> line, Dictionary<string, string> complaints)
    {
        TaskInfo? before = null;
        foreach (TaskInfo task in line.Where(task => task.StartedAt is not null))
        {
            if (before is not null && task.StartedAt < before.FinishedAt)
                complaints.TryAdd(task.Id, $"should have started after {before.Id} had ended");
            before = task;
        }
    }
}
