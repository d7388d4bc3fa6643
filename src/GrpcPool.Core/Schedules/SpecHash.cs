using System.Security.Cryptography;
using System.Text;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Schedules;

/// <summary>Tells whether two specs say the same.</summary>
internal static class SpecHash
{
    public static byte[] Of(ScheduleSpec spec)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, Encoding.UTF8))
        {
            writer.Write($"{spec.Timetable}");
            writer.Write(spec.StartAt?.UtcTicks ?? 0);
            writer.Write(spec.EndAt?.UtcTicks ?? 0);
            writer.Write(spec.MaxRuns);
            writer.Write(spec.Jitter.Ticks);
            writer.Write((int)spec.Overlap);
            writer.Write((int)spec.CatchUp);
            Write(writer, spec.Task);
        }

        return SHA256.HashData(stream.ToArray());
    }

    private static void Write(BinaryWriter writer, TaskSpec task)
    {
        writer.Write(task.Kind);
        writer.Write(task.Queue);
        writer.Write(task.Payload.Length);
        writer.Write(task.Payload.Span);
        writer.Write(task.ContentType);
        writer.Write(task.Priority);
        writer.Write(task.SerialKey);
        writer.Write(task.Slots);
        writer.Write(task.ParentId);
        writer.Write(task.StartTimeout?.Ticks ?? 0);
        writer.Write(task.RunTimeout?.Ticks ?? 0);
        writer.Write(task.TotalTimeout?.Ticks ?? 0);
        writer.Write(task.Retention.Ticks);
        writer.Write($"{task.Retry}");
        Write(writer, task.Labels);
        Write(writer, task.Headers);
        if (task.Group.Length > 0)
            writer.Write(task.Group);
    }

    private static void Write(BinaryWriter writer, IReadOnlyDictionary<string, string> pairs)
    {
        writer.Write(pairs.Count);
        foreach ((string name, string value) in pairs.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            writer.Write(name);
            writer.Write(value);
        }
    }
}
