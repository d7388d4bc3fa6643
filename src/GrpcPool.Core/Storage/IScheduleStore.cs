using GrpcPool.Core.Schedules;

namespace GrpcPool.Core.Storage;

/// <summary>What is read of schedules. They are written by the commands of <see cref="ITaskStore.CommitAsync"/>, in one commit with the tasks that they submit.</summary>
internal interface IScheduleStore
{
    /// <summary>Finds a schedule by its id.</summary>
    ValueTask<ScheduleRecord?> FindScheduleAsync(ScheduleId id);

    /// <summary>Reads schedules of a namespace in the order of their ids.</summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="after">The id after which to begin; empty for the beginning.</param>
    /// <param name="limit">How many at most.</param>
    ValueTask<SchedulePage> ReadSchedulesAsync(string @namespace, string after, int limit);
}

/// <summary>Some schedules, perhaps fewer than asked for.</summary>
/// <param name="Schedules">The schedules, in the order of their ids.</param>
/// <param name="More">Whether there are more after them.</param>
internal sealed record SchedulePage(IReadOnlyList<ScheduleRecord> Schedules, bool More);
