using System.Globalization;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Schedules;

/// <summary>Names one schedule: its id is unique within its namespace.</summary>
/// <param name="Namespace">The namespace.</param>
/// <param name="Value">The id, 1–64 of <c>[A-Za-z0-9._:-]</c>: the ids of its tasks begin with it.</param>
internal readonly record struct ScheduleId(string Namespace, string Value)
{
    /// <summary>The longest id.</summary>
    public const int CharactersMax = 64;

    /// <summary>Makes a new id.</summary>
    public static ScheduleId New(string @namespace, DateTimeOffset now) => new(@namespace, TaskId.New(@namespace, now).Value);

    /// <summary>The task for a due time: always the same one, so that no due time can have two.</summary>
    public TaskId TaskFor(DateTimeOffset due)
    {
        string form = due.UtcTicks % TimeSpan.TicksPerSecond == 0 ? "yyyyMMdd'T'HHmmss'Z'" : "yyyyMMdd'T'HHmmss'.'fffffff'Z'";
        return new TaskId(Namespace, $"{Value}:{due.UtcDateTime.ToString(form, CultureInfo.InvariantCulture)}");
    }

    /// <summary>A task for no due time.</summary>
    public TaskId NewTask(DateTimeOffset now) => new(Namespace, $"{Value}:{TaskId.New(Namespace, now).Value}");

    /// <inheritdoc/>
    public override string ToString() => $"{Namespace}/{Value}";
}
