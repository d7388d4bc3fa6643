using GrpcPool.Core.Execution;
using GrpcPool.Core.Maintenance;
using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Schedules;

/// <summary>
/// Has what is due fired. It needs no timer of its own: the one that waits for whatever the clock changes next waits for schedules too. A clock that was set back is
/// noticed within <see cref="DueTaskPromoter"/>'s bound.
/// </summary>
/// <param name="room">How many more tasks a queue takes.</param>
/// <param name="mayFire">Whether the store takes new tasks; while it does not, due times wait.</param>
internal sealed class ScheduleTrigger(Func<QueueId, long> room, Func<bool> mayFire) : IDuty
{
    /// <summary>How many due times one commit fires.</summary>
    private const int FiringsMax = 500;

    /// <summary>Clocks that are kept in step go back a little now and then.</summary>
    private static readonly TimeSpan SetBack = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private DateTimeOffset? _nextWake;

    /// <summary>Nothing at first: a former process may have run by another clock.</summary>
    private DateTimeOffset _seen = DateTimeOffset.MaxValue;

    public void Note(DateTimeOffset? nextWake)
    {
        lock (_lock)
            _nextWake = nextWake;
    }

    public TaskCommand? Next(DateTimeOffset now)
    {
        lock (_lock)
        {
            bool setBack = now < _seen - SetBack;
            _seen = setBack || now > _seen ? now : _seen;
            if (setBack)
                return new RewindSchedules();
            return _nextWake <= now && mayFire() ? new FireSchedules(FiringsMax, room) : null;
        }
    }
}
