using GrpcPool.Core.Schedules;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage;

/// <summary>The few things that a store does to single schedules, within a transaction.</summary>
internal interface IScheduleTable
{
    /// <summary>How many there are, with those that are kept only since the settings name them.</summary>
    long Count { get; }

    /// <summary>Finds a schedule; also one that is <see cref="ScheduleRecord.Deleted"/>.</summary>
    ScheduleRecord? Find(ScheduleId id);

    /// <summary>Writes a schedule, new or in the place of the one before.</summary>
    void Write(ScheduleRecord schedule);

    void Remove(ScheduleId id);

    /// <summary>The schedules whose <see cref="ScheduleRecord.WakeAt"/> has come, the earliest first.</summary>
    IReadOnlyList<ScheduleId> Due(DateTimeOffset now, int max);

    /// <summary>The schedules whose <see cref="ScheduleRecord.RewindAt"/> is to come.</summary>
    IReadOnlyList<ScheduleId> ToRewind(DateTimeOffset now);

    /// <summary>The schedules that the settings have named.</summary>
    IReadOnlyList<ScheduleId> FromSettings();

    /// <summary>Tasks of a schedule that have not ended, the oldest first.</summary>
    IReadOnlyList<TaskId> Unfinished(ScheduleId id, int max);
}
