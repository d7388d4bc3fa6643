using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Schedules;

/// <summary>A wish that is about schedules.</summary>
internal abstract record ScheduleCommand : TaskCommand;

/// <summary>Makes a schedule.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Spec">What it says.</param>
/// <param name="Paused">Whether it begins paused.</param>
/// <param name="Max">How many schedules there may be.</param>
internal sealed record CreateSchedule(ScheduleId Id, ScheduleSpec Spec, bool Paused, int Max) : ScheduleCommand
{
    /// <summary>Whose wish it is.</summary>
    public string By { get; init; } = "";
}

/// <summary>Puts another spec in the place of a schedule's, if it still has this version.</summary>
internal sealed record UpdateSchedule(ScheduleId Id, ScheduleSpec Spec, bool Paused, long Version) : ScheduleCommand
{
    /// <summary>Whose wish it is.</summary>
    public string By { get; init; } = "";
}

/// <summary>Pauses a schedule, or lets it go on.</summary>
internal sealed record PauseSchedule(ScheduleId Id, bool Paused) : ScheduleCommand;

/// <summary>Forgets a schedule; its tasks stay.</summary>
internal sealed record DeleteSchedule(ScheduleId Id) : ScheduleCommand;

/// <summary>Lets the settings speak where they have changed since they were last heard.</summary>
/// <param name="Named">The schedules that the settings name.</param>
internal sealed record ReconcileSchedules(IReadOnlyDictionary<ScheduleId, ScheduleSpec> Named) : ScheduleCommand;

/// <summary>Fires what is due at this time, the earliest first.</summary>
/// <param name="Max">How many due times at most.</param>
/// <param name="Room">How many more tasks a queue takes. Asked while the commit is under way, by whoever commits.</param>
internal sealed record FireSchedules(int Max, Func<QueueId, long> Room) : ScheduleCommand;

/// <summary>The clock was set back: finds due times anew where that matters.</summary>
internal sealed record RewindSchedules : ScheduleCommand;
